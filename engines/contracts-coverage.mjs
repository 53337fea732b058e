// Line and branch coverage of the contracts by their tests; fails below the floor.
// forge instruments only what lies inside its project, so the project is laid out anew with the library beside the sources.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FLOOR_PERCENT = 95;
const engines = dirname(fileURLToPath(import.meta.url));
const contracts = join(engines, '../contracts');
const project = join(contracts, 'cache/coverage');

rmSync(project, { recursive: true, force: true });
mkdirSync(project, { recursive: true });
for (const folder of ['src', 'test']) cpSync(join(contracts, folder), join(project, folder), { recursive: true });
cpSync(join(engines, 'node_modules/@openzeppelin/contracts'), join(project, 'lib/@openzeppelin/contracts'), {
  recursive: true,
  filter: source => !source.includes('/contracts/build'),
});
const settings = readFileSync(join(contracts, 'foundry.toml'), 'utf8')
  .replace('=../engines/node_modules/', '=lib/')
  .replace(/^allow_paths = .*$/m, '')
  .replace(/^solc = .*$/m, `solc = ${JSON.stringify(join(engines, 'solc'))}`)
  .replace(/^ignored_warnings_from = .*$/m, 'ignored_warnings_from = ["lib"]')
  .replace(/^gas_snapshot_check = .*$/m, 'gas_snapshot_check = false');
writeFileSync(join(project, 'foundry.toml'), settings);

// The precompile's and the gas tests measure what an instrumented build does not have.
const forge = join(engines, 'node_modules/@foundry-rs/forge-linux-amd64/bin/forge');
const run = spawnSync(forge, ['coverage', '--ir-minimum', '--no-match-contract', 'Invariants|Gas|Precompile', '--no-match-coverage', 'test/|lib/'],
  { cwd: project, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });
const table = run.stdout.slice(run.stdout.indexOf('╭'));
console.log(table);
const total = /\| Total\s+\|\s+([\d.]+)%[^|]*\|[^|]*\|\s+([\d.]+)%/.exec(table);
if (run.status !== 0 || !total) {
  console.error('forge coverage gave no figures; what it said is above.');
  process.exit(1);
}
const [lines, branches] = [Number(total[1]), Number(total[2])];
console.log(`lines ${lines} %, branches ${branches} %`);
process.exit(lines >= FLOOR_PERCENT && branches >= FLOOR_PERCENT ? 0 : 1);
