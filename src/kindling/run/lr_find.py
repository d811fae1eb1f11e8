"""A configuration in; the learning rate to type, a curve and a picture of it, out."""

from pathlib import Path

from omegaconf import DictConfig


def find_lr(cfg: DictConfig) -> float:
    """Try rising learning rates on the network that would be trained; return the one to take."""
    from lightning import seed_everything

    from kindling.formatting import short_path
    from kindling.run.build import build_data, build_task, build_trainer
    from kindling.run.console import show_plan
    from kindling.run.plan import print_plan
    from kindling.trainer.lr_range import find_rates, write_rates

    seed_everything(cfg.seed, verbose=False)
    data = build_data(cfg)
    task = build_task(cfg, data)
    trainer = build_trainer(cfg, data, task)
    print_plan(cfg, data, task, trainer)
    rate = write_rates(find_rates(data, task, trainer), cfg.optimizer.lr, Path(cfg.run_dir))
    picture = short_path(f"{cfg.run_dir}/lr_find.png")
    show_plan({"type": f"optimizer.lr={rate:g}", "picture": picture})
    return rate
