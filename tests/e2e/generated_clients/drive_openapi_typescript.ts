// Beside schema.d.ts, which openapi-typescript has written: asks the shop at the address given.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type BookFilter = components["schemas"]["BookFilter"];

const client = createClient<paths>({ baseUrl: process.argv[2] });

function right<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

function same(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
}

const author = right(await client.POST("/authors", { body: { name: "Generated" } }));
const ids: number[] = [];
for (let n = 0; n < 25; n++) {
  const isbn = `99900000${String(n).padStart(2, "0")}`;
  const made = right(
    await client.POST("/books", { body: { isbn, title: `G${n}`, author_id: author.id, price: `${n}.50`, stock: 0, binding: "ebook", in_print: true } }),
  );
  ids.push(made.id);
}

const listed = right(await client.GET("/books", { params: { query: { author_id: author.id, title__contains: "G2", price__gte: "20" } } }));
same(listed.items.map((each) => each.title), ["G20", "G21", "G22", "G23", "G24"]);

const walked: (string | undefined)[] = [];
let cursor: string | undefined;
do {
  const page = right(await client.GET("/books", { params: { query: { author_id: author.id, limit: 10, sort: ["-price"], cursor } } }));
  walked.push(...page.items.map((each) => each.title));
  cursor = page.next_cursor ?? undefined;
} while (cursor);
same(walked, [...Array(25).keys()].reverse().map((n) => `G${n}`));

const where: BookFilter = { author_id: author.id, price__lt: "3" };
same(right(await client.POST("/books/search", { body: { where } })).items.length, 3);
same(right(await client.GET("/books/count", { params: { query: { where: JSON.stringify(where) } } })).count, 3);

const path = { key: ids[0] };
same(right(await client.PATCH("/books/{key}", { params: { path }, body: { title: "Changed" } })).title, "Changed");
same(right(await client.GET("/books/{key}", { params: { path } })).title, "Changed");

const lines = right(await client.GET("/books/export", { params: { query: { where: JSON.stringify(where) } }, parseAs: "text" }));
same(lines.trim().split("\n").length, 3);

const order = right(await client.POST("/orders", { body: { customer: "Generated", status: "open", total: "0" } }));
const cancelled = right(await client.POST("/orders/{key}/cancel", { params: { path: { key: order.id } }, body: { reason: "late" } }));
same((cancelled as { status: string }).status, "cancelled");
console.log("all asked");
