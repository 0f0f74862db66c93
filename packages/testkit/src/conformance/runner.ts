/** The test framework, as far as the suite needs one: those of vitest, mocha and `node:test` fit as they are. */

/** What a framework hands to a test: a way to say that it did not run. */
export interface RunnerTest {
  skip?(note?: string): void;
}

export interface ConformanceRunner {
  describe(title: string, body: () => void): void;
  /** Tests run one after the other, in the order in which they were given. */
  it(title: string, body: (test: RunnerTest) => Promise<void>, timeoutMs: number): void;
}
