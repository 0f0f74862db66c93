/** Finds the driver for a URL's scheme: given ones first, then the built-in one, then a package. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Driver } from "../driver/driver.ts";
import { StreamError } from "../error/stream-error.ts";
import { memory } from "../memory/index.ts";
import { KNOWN_DRIVERS, type KnownDriver } from "./known-drivers.ts";

/** The driver for `scheme`. Rejects `driver-not-found`, with the command that installs it. */
export async function loadDriver(scheme: string, given: readonly Driver[]): Promise<Driver> {
  const own = given.find((driver) => {
    if (!isDriver(driver)) throw new TypeError("drivers is a list of drivers: call the factories, as in drivers: [redis()]");
    return driver.schemes.includes(scheme);
  });
  if (own !== undefined) return own;
  if (scheme === "memory") return memory();
  const known = KNOWN_DRIVERS.find((driver) => driver.schemes.includes(scheme));
  const packageName = known?.packageName ?? `seaway-driver-${scheme}`;
  const module = await importPackage(packageName, known);
  if (module === undefined) {
    const schemes = ["memory", ...KNOWN_DRIVERS.flatMap((driver) => driver.schemes)];
    throw new StreamError(
      "driver-not-found",
      known !== undefined
        ? `${scheme}: URLs need the package ${packageName}, which is not installed; run: npm install ${packageName}`
        : `no driver for ${scheme}: URLs; known schemes are ${schemes.join(", ")}; a driver of your own is found as the package ${packageName}, or given in connect(url, { drivers: [...] })`,
      { phase: "setup" },
    );
  }
  const factory = known === undefined ? Reflect.get(module, "default") : Reflect.get(module, known.name);
  if (typeof factory !== "function") {
    const wanted = known === undefined ? "a default export" : `an export "${known.name}"`;
    throw new StreamError(
      "driver-not-found",
      `${packageName} has not ${wanted} that makes a driver; is it of the same version as @seaway/core?`,
      { phase: "setup" },
    );
  }
  let made: unknown;
  try {
    made = factory();
  } catch (error) {
    throw broken(packageName, error);
  }
  if (isDriver(made) && made.schemes.includes(scheme)) return made;
  throw new StreamError("driver-not-found", `${packageName} made no driver for ${scheme}: URLs`, { phase: "setup" });
}

function isDriver(value: unknown): value is Driver {
  return typeof value === "object" && value !== null && "open" in value && "schemes" in value && Array.isArray(value.schemes);
}

/** The package as core sees it, else as the application's working directory does; undefined if neither has it. */
async function importPackage(packageName: string, known: KnownDriver | undefined): Promise<object | undefined> {
  if (known !== undefined) {
    try {
      return (await import(packageName)) as object;
    } catch (error) {
      if (!isMissing(error, packageName)) throw broken(packageName, error);
    }
  }
  let path: string;
  try {
    path = resolveFrom(process.cwd(), packageName);
  } catch (error) {
    if (isMissing(error, packageName)) return undefined;
    throw broken(packageName, error);
  }
  try {
    return (await import(pathToFileURL(path).href)) as object;
  } catch (error) {
    throw broken(packageName, error);
  }
}

/** As `import` resolves it: a package may be for nothing else. */
function resolveFrom(folder: string, packageName: string): string {
  const options: { readonly paths?: string[]; readonly conditions: ReadonlySet<string> } = {
    conditions: new Set(["import", "module-sync", "node", "default"]),
  };
  return createRequire(join(folder, "package.json")).resolve(packageName, options);
}

/** Whether it is this package that is missing, and not one that it needs itself. */
function isMissing(error: unknown, packageName: string): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND") && error.message.includes(`'${packageName}'`);
}

function broken(packageName: string, cause: unknown): StreamError {
  return new StreamError("driver-not-found", `${packageName} is installed but could not be loaded`, { cause, phase: "setup" });
}
