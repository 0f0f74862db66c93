// Placeholder until the real one is written: says so and fails.
console.error("Not written yet.");
process.exitCode = 1;
