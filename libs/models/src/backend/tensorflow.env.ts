// TensorFlow reads its environment when it is loaded: quiet its start-up lines unless somebody asked for them.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
// By itself it uses oneDNN's kernels only on processors with instructions for neural networks (AVX-512 VNNI); on one with AVX2 alone they
// take a quarter off a training step as well.
process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
