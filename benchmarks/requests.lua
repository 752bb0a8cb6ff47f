-- The requests of one endpoint, for: wrk … -s requests.lua URL -- ENDPOINT SEED ROWS OWNERS LIST
-- LIST is the path of a page with %d in place of the owner. Prints what was measured as one line of JSON.

local endpoint, seed, rows, owners, list
local number = 0
local json = { ["content-type"] = "application/json" }

-- Another row each time, until all had their turn; 61803 and the number of rows have no divisor in common.
local function next_row()
  local row = (number * 61803 + seed) % rows + 1
  number = number + 1
  return row
end

local function price()
  return string.format("%d.%02d", 1 + number % 900, number % 100)
end

local make = {
  get = function()
    return wrk.format("GET", "/items/" .. next_row())
  end,
  list = function()
    return wrk.format("GET", string.format(list, (next_row() - 1) % owners + 1))
  end,
  create = function()
    local row = next_row()
    local body = string.format(
      '{"title":"A new item, number %d","price":"%s","attributes":{"colour":"red","size":%d,"tags":["new"]},"owner_id":%d}',
      row, price(), number % 50, (row - 1) % owners + 1)
    return wrk.format("POST", "/items", json, body)
  end,
  patch = function()
    return wrk.format("PATCH", "/items/" .. next_row(), json, '{"price":"' .. price() .. '"}')
  end,
  -- Rows begin at version 1, and each turn of all rows raises it by one.
  patch_if_match = function()
    local version = math.floor(number / rows) + 1
    local headers = { ["content-type"] = "application/json", ["if-match"] = '"' .. version .. '"' }
    return wrk.format("PATCH", "/items/" .. next_row(), headers, '{"price":"' .. price() .. '"}')
  end,
  reading = function()
    return wrk.format("POST", list, json, '{"sensor":1,"note":"a reading"}')
  end,
  path = function()
    return wrk.format("GET", list)
  end,
}

function init(args)
  endpoint, seed, rows, owners, list = args[1], tonumber(args[2]), tonumber(args[3]), tonumber(args[4]), args[5]
  request = make[endpoint]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"bytes":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
