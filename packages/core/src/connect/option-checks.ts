/** The options of one streamer's driver: those of the URL are read once, those of each call are checked and laid over them. */
import type { Driver, OptionScope } from "../driver/driver.ts";
import { optionsFromUrl } from "../url/url-options.ts";
import { checkOptions, mergeOptions } from "./check-options.ts";
import { KNOWN_DRIVERS } from "./known-drivers.ts";
import { ENTRY_OPTIONS, PORTABLE_OPTIONS } from "./option-tables.ts";

/** Checked options, apart: what is core's and what is the driver's. */
export interface CheckedOptions<O> {
  readonly portable: O;
  readonly namespace: Readonly<Record<string, unknown>>;
}

export class OptionChecks {
  readonly #driver: Driver;
  readonly #fromUrl: Readonly<Record<OptionScope, Readonly<Record<string, unknown>>>>;
  readonly #otherNamespaces: readonly string[];

  /** Throws `invalid-option` for parameters that nobody knows. `given`: drivers that the program has at hand. */
  constructor(driver: Driver, parameters: ReadonlyMap<string, string>, given: readonly Driver[]) {
    this.#driver = driver;
    this.#fromUrl = optionsFromUrl(parameters, PORTABLE_OPTIONS, driver.name, driver.options);
    const names = ["memory", ...KNOWN_DRIVERS.map((known) => known.name), ...given.map((one) => one.name)];
    this.#otherNamespaces = names.filter((name) => name !== driver.name);
  }

  /** Code wins over the URL. */
  check<O extends object>(scope: OptionScope, given: O): CheckedOptions<O> {
    checkOptions(scope, given, PORTABLE_OPTIONS, this.#driver.name, this.#driver.options, this.#otherNamespaces);
    const merged = mergeOptions(this.#fromUrl[scope], given);
    const namespace: unknown = Reflect.get(merged, this.#driver.name);
    return { portable: merged as O, namespace: (namespace ?? {}) as Readonly<Record<string, unknown>> };
  }

  /** The options of one send, or one entry of a bulk send; allocates nothing when they are good. */
  checkSend(given: object, isEntry: boolean): void {
    checkOptions("send", given, isEntry ? ENTRY_OPTIONS : PORTABLE_OPTIONS, this.#driver.name, this.#driver.options, this.#otherNamespaces);
  }
}
