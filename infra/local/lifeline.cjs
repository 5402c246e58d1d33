// Ends this Node process when the process that started it is gone, however it went (kill -9 too).
//
// The parent holds the write end of our standard input and never writes. The kernel closes it when the parent
// dies, which we see as the end of the stream. Loaded with `node --require`; see process.py for the other side.
"use strict";

const GRACE_MS = 10_000;

function leave() {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.exit(1), GRACE_MS).unref();
}

process.stdin.once("end", leave);
process.stdin.once("error", leave);
process.stdin.resume();
process.stdin.unref();
