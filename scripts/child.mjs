// Runs a program to its end: signals are passed on to it, its output is shown or kept, and how it ended is told.
import { spawn } from "node:child_process";
import { constants } from "node:os";

const passedOn = ["SIGINT", "SIGTERM", "SIGHUP"];
const parent = process.ppid;

/** npm that is told to stop ends only the shell between itself and its script; that the shell has gone is all that the script can see. */
const startedByNpm = process.env.npm_lifecycle_event !== undefined;

/**
 * @param {readonly string[]} command the program and its arguments
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, keepOutput?: boolean }} [options] `keepOutput` returns stdout and stderr
 *   instead of showing them, and gives the program no stdin
 * @returns {Promise<{ code: number, interrupted: boolean, output: string }>} `code` is 128 + the signal's number if one ended it
 */
export function runChild(command, { cwd, env = process.env, keepOutput = false } = {}) {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: keepOutput ? ["ignore", "pipe", "pipe"] : "inherit" });
    let output = "";
    let interrupted = false;
    child.stdout?.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr?.setEncoding("utf8").on("data", (text) => (output += text));

    const passOn = (/** @type {NodeJS.Signals} */ signal) => {
      interrupted = true;
      // A terminal has already sent Ctrl-C to the whole group; a second one would make many programs skip their clean-up.
      if (!(signal === "SIGINT" && process.stdin.isTTY)) child.kill(signal);
    };
    for (const signal of passedOn) process.on(signal, passOn);
    const orphaned = setInterval(() => {
      if (!startedByNpm || process.ppid === parent) return;
      clearInterval(orphaned);
      passOn("SIGTERM");
    }, 500);
    const release = () => {
      clearInterval(orphaned);
      for (const signal of passedOn) process.off(signal, passOn);
    };

    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("close", (code, signal) => {
      release();
      resolve({ code: code ?? 128 + (constants.signals[signal ?? "SIGTERM"] ?? 0), interrupted, output });
    });
  });
}
