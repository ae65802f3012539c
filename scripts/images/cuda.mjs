// TensorFlow's libraries for NVIDIA GPUs, and NVIDIA's own that they load: cuda.mjs OUT fills OUT with what the image worker-gpu has in place of
// the CPU's libraries. Both come from PyPI's wheels; tfjs-node's binding is the same for either.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { LIBRARIES, TENSORFLOW_VERSION } from '../setup/tensorflow.mjs';

const run = promisify(execFile);

/** Which NVIDIA packages fit is said by the wheel itself, as what its extra `and-cuda` requires. */
const SCRIPT = `
import email, glob, os, shutil, subprocess, sys, zipfile
version, wheels, out, wanted = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(',')
def download(*names):
    subprocess.check_call([sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--python-version', '3.11',
        '--platform', 'manylinux_2_27_x86_64', '--platform', 'manylinux_2_17_x86_64', '--platform', 'manylinux2014_x86_64', '--dest', wheels, *names])
def extract(archive, name, to):
    os.makedirs(os.path.dirname(to), exist_ok=True)
    with archive.open(name) as source, open(to, 'wb') as target: shutil.copyfileobj(source, target, 1 << 20)
    os.chmod(to, 0o644); os.utime(to, (0, 0))
download('tensorflow==' + version)
with zipfile.ZipFile(glob.glob(wheels + '/tensorflow-*.whl')[0]) as archive:
    metadata = next(name for name in archive.namelist() if name.endswith('.dist-info/METADATA'))
    requires = email.message_from_bytes(archive.read(metadata)).get_all('Requires-Dist')
    nvidia = [r.split(';')[0].replace(' ', '').replace('(', '').replace(')', '') for r in requires if 'and-cuda' in r and r.startswith('nvidia')]
    for library in wanted: extract(archive, 'tensorflow/' + library, out + '/node_modules/@tensorflow/tfjs-node/deps/lib/' + library)
download(*nvidia)
for wheel in sorted(glob.glob(wheels + '/nvidia*.whl')):
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if '/lib/' in name and '.so' in os.path.basename(name): extract(archive, name, out + '/cuda/' + os.path.basename(name))
`;

const wheels = await mkdtemp(path.join(os.tmpdir(), 'cuda-wheels-'));
try {
  await run('python3', ['-c', SCRIPT, TENSORFLOW_VERSION, wheels, path.resolve(process.argv[2]), LIBRARIES.join(',')], { maxBuffer: 64 << 20 });
} finally {
  await rm(wheels, { recursive: true, force: true });
}
