"""Train a network on a table or on images, test it, and leave a run folder behind.

python train.py                                                    # penguins, seconds on a laptop
python train.py data=digits device=cuda
python train.py data=table data.path=my.csv data.target=price      # your own table
"""

from kindling.run.command import DictConfig, main


@main
def train(cfg: DictConfig) -> float:
    """Go the whole way once; return the best monitored value."""
    # Here, so that --help and a misspelt key are answered before torch is there.
    from lightning import seed_everything

    from kindling.run.build import build_data, build_task, build_trainer
    from kindling.run.finish import finish
    from kindling.run.plan import print_plan
    from kindling.run.resume import open_run_folder
    from project.baselines import fit_baselines

    seed_everything(cfg.seed, verbose=False)
    data = build_data(cfg)  # read, split, fit, transform: data.spec describes it
    task = build_task(cfg, data)  # network, loss, optimizer and scheduler
    trainer = build_trainer(cfg, data, task)  # Lightning's own, with callbacks and logger
    print_plan(cfg, data, task, trainer)
    checkpoint = open_run_folder(cfg, data, task, trainer)  # None, or where a resumed run goes on
    trainer.fit(task, data, ckpt_path=checkpoint, weights_only=True)
    trainer.test(task, data, ckpt_path="best", weights_only=True, verbose=False)
    baselines = fit_baselines(data, enabled=cfg.baselines, seed=cfg.seed)
    return finish(cfg, data, task, trainer, baselines)


if __name__ == "__main__":
    train()
