// node run_onnx.js MODEL DIR SHAPE: runs an ONNX model of one float32 input,
// DIR/input of that JSON shape, in ONNX Runtime. Writes each output as raw
// float32 to DIR/<its name> and prints the shapes by name as JSON.
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');

async function main([model, dir, shape]) {
  const session = await ort.InferenceSession.create(model);
  const raw = fs.readFileSync(path.join(dir, 'input'));
  const data = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
  const input = new ort.Tensor('float32', data, JSON.parse(shape));
  const outputs = await session.run({[session.inputNames[0]]: input});
  const shapes = {};
  for (const name of session.outputNames) {
    const {data, dims} = outputs[name];
    fs.writeFileSync(path.join(dir, name), Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    shapes[name] = dims;
  }
  console.log(JSON.stringify(shapes));
}

main(process.argv.slice(2)).catch(err => {
  console.error(err);
  process.exit(1);
});
