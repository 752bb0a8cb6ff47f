// Beside the folder made, which hey-api has written: asks the shop at the address given.
import { client } from "./made/client.gen.js";
import { cancelOrder, createAuthor, createBook, createOrder, exportBooks, importBooks, listBooks, searchBooks, updateBook } from "./made/sdk.gen.js";

client.setConfig({ baseUrl: process.argv[2], throwOnError: true });

function same(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
}

const { data: author } = await createAuthor({ body: { name: "Generated" }, throwOnError: true });
const ids: number[] = [];
for (let n = 0; n < 25; n++) {
  const isbn = `99900000${String(n).padStart(2, "0")}`;
  const { data } = await createBook({ body: { isbn, title: `G${n}`, author_id: author.id, price: `${n}.50` }, throwOnError: true });
  ids.push(data.id);
}

const walked: (string | undefined)[] = [];
let cursor: string | undefined;
do {
  const { data: page } = await listBooks({ query: { author_id: author.id, limit: 10, sort: ["-price"], cursor }, throwOnError: true });
  walked.push(...page.items.map((each) => each.title));
  cursor = page.next_cursor ?? undefined;
} while (cursor);
same(walked, [...Array(25).keys()].reverse().map((n) => `G${n}`));

const where = { author_id: author.id, price__lt: "3" };
same((await searchBooks({ body: { where }, throwOnError: true })).data.items.length, 3);
const { data: changed } = await updateBook({ path: { key: ids[0]! }, body: { title: "Changed" }, throwOnError: true });
same(changed && changed.title, "Changed");

const { data: lines } = await exportBooks({ query: { where: JSON.stringify(where) }, parseAs: "text", throwOnError: true });
same(lines.trim().split("\n").length, 3);
const line = JSON.stringify({ isbn: "9990000099", title: "I", author_id: author.id, price: "1" });
same((await importBooks({ body: new Blob([line]), throwOnError: true })).data.created, 1);

const { data: order } = await createOrder({ body: { customer: "Generated" }, throwOnError: true });
const { data: cancelled } = await cancelOrder({ path: { key: order.id }, body: { reason: "late" }, throwOnError: true });
same((cancelled as { status: string }).status, "cancelled");
console.log("all asked");
