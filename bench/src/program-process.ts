/** The process of one measurement: it runs the program it is told to, and sends back what that gave. */
import type { Job, PairProgram, Program } from "./suite.ts";

const [program, job] = process.argv.slice(2) as [string, string];
const { default: measure } = (await import(program)) as { readonly default: Program | PairProgram };
const result = await measure(JSON.parse(job) as Job);
process.send?.(result, () => process.disconnect());
