// Loaded into what the command runs: when the starting process ends, even by SIGKILL, the channel to it closes and this process stops.
import process from 'node:process';

process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref(); // the channel alone keeps nobody running
