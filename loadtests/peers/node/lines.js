"use strict";

/** Calls `act` for every line on stdin, and ends the process when there are no more to come. */
exports.onEachLine = (act) => {
  process.stdin.on("data", (data) => {
    for (const byte of data) if (byte === 10) act();
  });
  process.stdin.on("end", () => process.exit(0));
};
