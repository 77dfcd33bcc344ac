// Chat SDK in memory on the requests of a file: node measure.mjs FILE WARM SECRET WAVE
// Prints {"us": CPU µs a message, "handled": how many reached the handler, "node": …}.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { createSlackAdapter } from "@chat-adapter/slack";
import { createMemoryState } from "@chat-adapter/state-memory";
import { Chat } from "chat";

const [file, warm, secret, wave] = [process.argv[2], Number(process.argv[3]), process.argv[4], Number(process.argv[5])];

// What the adapter asks of Slack once for each person; all of them have been asked for when the measuring begins.
const answers = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const user = new URLSearchParams(Buffer.concat(chunks).toString()).get("user") ?? "U00BOT";
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ ok: true, user: { id: user, name: user, real_name: user, profile: {} } }));
  });
});
await new Promise((resolve) => answers.listen(0, "127.0.0.1", resolve));

const quiet = { child: () => quiet, debug() {}, info() {}, warn() {}, error: console.error };
let handled = 0;
const bot = new Chat({
  userName: "bot",
  logger: quiet,
  state: createMemoryState(),
  adapters: {
    slack: createSlackAdapter({
      apiUrl: `http://127.0.0.1:${answers.address().port}/api/`,
      botToken: "xoxb-benchmark",
      botUserId: "U00BOT",
      logger: quiet,
      signingSecret: secret,
    }),
  },
});
bot.onDirectMessage(async () => {
  handled += 1;
});
await bot.initialize();

const requests = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
async function feed(some) {
  for (let at = 0; at < some.length; at += wave) {
    const tasks = [];
    const options = { waitUntil: (task) => tasks.push(task) };
    const answered = some.slice(at, at + wave).map(({ headers, body }) =>
      bot.webhooks.slack(new Request("https://hub.example/slack", { method: "POST", headers, body }), options),
    );
    for (const response of await Promise.all(answered)) {
      if (response.status !== 200) throw new Error(`the door answered ${response.status}`);
    }
    await Promise.all(tasks);
  }
}

await feed(requests.slice(0, warm));
const measured = requests.slice(warm);
handled = 0;
const before = process.cpuUsage();
await feed(measured);
const used = process.cpuUsage(before);
console.log(JSON.stringify({ us: (used.user + used.system) / measured.length, handled, node: process.version }));
process.exit(0);
