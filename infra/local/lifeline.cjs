// Makes Azurite's Node process end cleanly: with the process that started it, and at any moment.
//
// The parent holds the write end of our standard input and never writes. The kernel closes it when the parent
// dies (kill -9 too), which we see as the end of the stream. Loaded with `node --require`; process.py is the other side.
//
// Azurite handles SIGTERM only some moments after it answers its first request. A SIGTERM before that would end Node
// without saving what was acknowledged; so we keep it and send it again until Azurite listens for it.
"use strict";

const GRACE_MS = 10_000;
const AGAIN_MS = 10;

let handedOver = false;

process.on("SIGTERM", () => {
  if (process.listenerCount("SIGTERM") > 1) {
    handedOver = true;
  } else if (!handedOver) {
    setTimeout(() => process.kill(process.pid, "SIGTERM"), AGAIN_MS);
  }
});

function leave() {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.exit(1), GRACE_MS).unref();
}

process.stdin.once("end", leave);
process.stdin.once("error", leave);
process.stdin.resume();
process.stdin.unref();
