// Trains on one batch with the artifacts of a folder, by ONNX Runtime Web's training API.
//   node train.mjs NODE_MODULES FOLDER STEPS
// FOLDER also holds batch.json: the inputs in the order of the training model, by name, as
// {"name": {"dims": [...], "data": [...]}}, all INT64. The learning rate is the
// training API's own, 1e-3. Prints the losses as a JSON array.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, folder, steps] = process.argv.slice(2);
const file = join(modules, 'onnxruntime-web', 'dist', 'ort.training.wasm.min.mjs');
const ort = await import(pathToFileURL(file).href);
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

const bytes = (name) => new Uint8Array(readFileSync(join(folder, name)));
const session = await ort.TrainingSession.create({
  checkpointState: bytes('checkpoint'),
  trainModel: bytes('training_model.onnx'),
  evalModel: bytes('eval_model.onnx'),
  optimizerModel: bytes('optimizer_model.onnx'),
  // Else a warning for each step of SGD, whose operator's shape is not what its schema says.
}, { logSeverityLevel: 3 });

const feeds = {};
for (const [name, tensor] of Object.entries(JSON.parse(readFileSync(join(folder, 'batch.json'))))) {
  feeds[name] = new ort.Tensor('int64', BigInt64Array.from(tensor.data, BigInt), tensor.dims);
}
const losses = [];
for (let i = 0; i < Number(steps); i++) {
  const results = await session.runTrainStep(feeds);
  losses.push(results.loss.data[0]);
  await session.runOptimizerStep();
  await session.lazyResetGrad();
}
console.log(JSON.stringify(losses));
