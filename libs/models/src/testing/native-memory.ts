import v8 from 'node:v8';
import vm from 'node:vm';

/** Bytes of memory that this process holds outside of JavaScript's heap, once its garbage is collected: TensorFlow's, and buffers. */
export function nativeBytes(): number {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage.rss() - v8.getHeapStatistics().total_physical_size;
}
