// TensorFlow's libraries for NVIDIA GPUs, and NVIDIA's own that they load: cuda.mjs OUT fills OUT with what the image worker-gpu has in place of
// the CPU's libraries. Both come from PyPI's wheels; tfjs-node's binding is the same for either.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { LIBRARIES, TENSORFLOW_VERSION } from '../setup/tensorflow.mjs';

const run = promisify(execFile);

const REQUIREMENTS = path.join(import.meta.dirname, 'cuda-requirements.txt');

const SCRIPT = `
import glob, os, re, shutil, subprocess, sys, zipfile
requirements, wheels, out, wanted = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(',')
# Other builds of the same library, and interfaces that TensorFlow does not call: 300 MB.
not_needed = re.compile(r'[.]alt[.]so|Mg[.]so|libnvblas|libcufftw')
def extract(archive, name, to):
    os.makedirs(os.path.dirname(to), exist_ok=True)
    with archive.open(name) as source, open(to, 'wb') as target: shutil.copyfileobj(source, target, 1 << 20)
    os.chmod(to, 0o644); os.utime(to, (0, 0))
subprocess.check_call([sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '--only-binary=:all:', '--python-version', '3.11',
    '--platform', 'manylinux_2_27_x86_64', '--platform', 'manylinux_2_17_x86_64', '--platform', 'manylinux2014_x86_64', '--dest', wheels, '-r', requirements])
with zipfile.ZipFile(glob.glob(wheels + '/tensorflow-*.whl')[0]) as archive:
    for library in wanted: extract(archive, 'tensorflow/' + library, out + '/node_modules/@tensorflow/tfjs-node/deps/lib/' + library)
for wheel in sorted(glob.glob(wheels + '/nvidia*.whl')):
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if '/lib/' in name and '.so' in os.path.basename(name) and not not_needed.search(name): extract(archive, name, out + '/cuda/' + os.path.basename(name))
`;

const pinned = /^tensorflow==(\S+)/m.exec(await readFile(REQUIREMENTS, 'utf8'))?.[1];
if (pinned !== TENSORFLOW_VERSION) throw new Error(`${REQUIREMENTS} names TensorFlow ${pinned}, and the program is built with ${TENSORFLOW_VERSION}: change both together`);
const wheels = await mkdtemp(path.join(os.tmpdir(), 'cuda-wheels-'));
try {
  await run('python3', ['-c', SCRIPT, REQUIREMENTS, wheels, path.resolve(process.argv[2]), LIBRARIES.join(',')], { maxBuffer: 64 << 20 });
} finally {
  await rm(wheels, { recursive: true, force: true });
}
