// node onnx-predict.mjs ENGINES MODEL < {"width": n, "values": [...]}: prints each output of the model as a flat list.
// With "rounds" it prints instead the microseconds of one row, the least of that many rounds over the rows.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [engines, model] = process.argv.slice(2);
const { InferenceSession, Tensor } = createRequire(join(engines, "package.json"))("onnxruntime-node");
const { width, values, rounds } = JSON.parse(readFileSync(0, "utf8"));
const rows = values.length / width;
const numbers = Float32Array.from(values, (value) => value ?? NaN);
const session = await InferenceSession.create(readFileSync(model), { intraOpNumThreads: 1, interOpNumThreads: 1 });
if (rounds) {
  const singles = Array.from({ length: rows }, (_, row) => ({ features: new Tensor("float32", numbers.slice(row * width, (row + 1) * width), [1, width]) }));
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    for (const single of singles) await session.run(single);
    best = Math.min(best, ((performance.now() - started) * 1000) / rows);
  }
  console.log(JSON.stringify({ rowMicroseconds: best }));
} else {
  const results = await session.run({ features: new Tensor("float32", numbers, [rows, width]) });
  console.log(JSON.stringify(Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, Array.from(tensor.data, Number)]))));
}
