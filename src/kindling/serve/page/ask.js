// Asking the server.

export async function schema() {
  return (await fetch("schema")).json();
}

/** Ask for predictions; whatever goes wrong comes back as `errors`. */
export async function ask(body, headers = {}) {
  try {
    const response = await fetch("predict", { method: "POST", body, headers });
    return await response.json();
  } catch {
    return { errors: [{ message: "The server does not answer. Is it still running?" }] };
  }
}
