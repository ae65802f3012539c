// Loads a layers model by its address with TensorFlow.js alone, as a browser does, and prints what it makes of values spread evenly from −1 to 1.
import * as tf from '@tensorflow/tfjs';

const model = await tf.loadLayersModel(process.argv[2]);
const shape = model.inputs[0].shape.slice(1);
const input = tf.linspace(-1, 1, shape.reduce((a, b) => a * b, 1)).reshape([1, ...shape]);
console.log(JSON.stringify({ backend: tf.getBackend(), output: Array.from(model.predict(input).dataSync()) }));
