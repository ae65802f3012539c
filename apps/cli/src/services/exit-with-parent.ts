// Loaded into every service that `caricature start` runs: when the starting process ends, even by SIGKILL, its channel closes and the service stops.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
