// TensorFlow reads its environment when it is loaded: quiet its start-up lines unless somebody asked for them.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
