/** A shop in which joins fan out, facts share dimensions, and every kind of measure occurs. Its rows come at random. */
export const SETUP = `
  create table raw.countries (id int, name text, is_far boolean);
  create table raw.customers (id int, country_id int, segment text, is_vip boolean, credit int);
  create table raw.orders (id int, customer_id int, ship_to int, region text, is_gift boolean, price int, quantity int,
    ordered_on date, shipped_on date);
  create table raw.items (id int, order_id int, category text, amount int);
  create table raw.tickets (id int, customer_id int, opened_at timestamptz, minutes int, topic text);
  create table raw.balances (id int, account text, customer_id int, day date, amount int);
  create table raw.tiers (id int, customer_id int, name text, since date, until date);
  create table raw.days (day date, sprint date);
  insert into raw.days select day, date '1970-01-01' + (day - date '1970-01-01') / 10 * 10
    from (select generate_series(timestamp '2024-01-20', '2024-05-10', '1 day')::date as day) as days`

/** Tables whose rows come at random; their names are those of cubes. */
export const TABLES = [
  'countries',
  'customers',
  'orders',
  'items',
  'tickets',
  'balances',
  'tiers',
] as const

export const TIME_SPINES = `
  - {granularity: hour, from: 2024-01-25, to: 2024-04-20}
  - {granularity: day, sql_table: raw.days, column: day, calendar: {sprint: sprint}}`

export const CUBES = `
  - name: countries
    sql_table: raw.countries
    measures: [{name: count, type: count}]
    dimensions: [{name: id, type: number, primary_key: true}, {name: name, type: string}, {name: is_far, type: boolean}]
  - name: customers
    sql_table: raw.customers
    measures: [{name: count, type: count}, {name: total_credit, type: sum, sql: credit}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: segment, type: string}
      - {name: is_vip, type: boolean}
      - {name: credit, type: number}
    segments: [{name: vips, sql: is_vip}]
    joins: [{name: countries, relationship: many_to_one, sql: "{CUBE}.country_id = {countries}.id"}]
  - name: orders
    sql_table: raw.orders
    measures:
      - {name: count, type: count}
      - {name: priced, type: count, sql: price}
      - {name: revenue, type: sum, sql: price * quantity}
      - {name: average_price, type: avg, sql: price}
      - {name: least_price, type: min, sql: price}
      - {name: greatest_quantity, type: max, sql: quantity}
      - {name: first_region, type: min, sql: "{region}"}
      - {name: last_order, type: max, sql: "{ordered_on}"}
      - {name: buyers, type: count_distinct, sql: customer_id}
      - {name: median_price, type: median, sql: price}
      - {name: high_quantity, type: percentile, percentile: 0.75, discrete: true, sql: quantity}
      - {name: gifts, type: sum_boolean, sql: is_gift}
      - {name: gift_revenue, type: sum, sql: price * quantity, filters: [{sql: is_gift}]}
      - {name: gift_count, type: count, filters: [{sql: is_gift}]}
      - {name: revenue_per_order, type: number, sql: "{revenue} / {count}"}
      - {name: shipped, type: count, time: shipped_on}
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: customer_id, type: number}
      - {name: region, type: string}
      - {name: is_gift, type: boolean}
      - {name: quantity, type: number}
      - {name: ordered_on, type: time, primary_time: true, granularities: [day, week, month, quarter, year]}
      - {name: shipped_on, type: time, granularities: [day, week, month, quarter, year]}
    segments: [{name: large, sql: quantity > 2}]
    joins:
      - {name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}
      - {name: shipping, cube: countries, relationship: many_to_one, sql: "{CUBE}.ship_to = {shipping}.id"}
      - {name: items, relationship: one_to_many, sql: "{CUBE}.id = {items}.order_id"}
      - name: tiers
        relationship: many_to_one
        sql: "{CUBE}.customer_id = {tiers}.customer_id"
        valid_from: since
        valid_to: until
  - name: tiers
    sql_table: raw.tiers
    measures: [{name: count, type: count}]
    dimensions: [{name: name, type: string}]
  - name: big_orders
    extends: orders
    sql: select * from raw.orders where quantity > 1
    measures: [{name: revenue, type: sum, sql: price}]
    dimensions: [{name: region, type: string, sql: "{CUBE}.region || '!'"}]
  - name: items
    sql_table: raw.items
    measures: [{name: count, type: count}, {name: total, type: sum, sql: amount}]
    dimensions: [{name: category, type: string}, {name: amount, type: number}]
    joins: [{name: orders, relationship: many_to_one, sql: "{CUBE}.order_id = {orders}.id"}]
  - name: tickets
    sql_table: raw.tickets
    measures:
      - {name: count, type: count}
      - {name: total_minutes, type: sum, sql: minutes}
      - {name: callers, type: count_distinct, sql: customer_id}
    dimensions:
      - {name: topic, type: string}
      - {name: customer_id, type: number}
      - {name: minutes, type: number}
      - {name: opened_at, type: time, granularities: [hour, day, week, month, quarter, year]}
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}]
  - name: balances
    sql_table: raw.balances
    measures:
      - {name: count, type: count}
      - {name: closing, type: sum, sql: amount, non_additive: {time: day, choice: last, by: [account]}}
      - {name: opening, type: sum, sql: amount, non_additive: {time: day, choice: first}}
    dimensions:
      - {name: account, type: string}
      - {name: day, type: time, granularities: [day, week, month, quarter, year]}
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}]
`

export const METRICS = `
  - {name: revenue, type: simple, expression: orders.revenue}
  - name: gift_share
    type: ratio
    numerator: {expression: orders.revenue, filters: [{dimension: orders.is_gift, operator: equals, value: true}]}
    denominator: {expression: orders.revenue}
  - name: north_orders
    type: simple
    expression: orders.count
    filters: [{dimension: orders.region, operator: equals, value: north}]
  - name: vip_buyers
    type: simple
    expression: orders.buyers
    filters: [{not: {dimension: customers.is_vip, operator: notEquals, value: true}}]
  - {name: revenue_per_ticket, type: derived, expression: orders.revenue / tickets.count}
  - {name: activity, type: derived, expression: orders.count + 2 * tickets.count - items.count}
  - {name: tickets_or_zero, type: simple, expression: tickets.count, fill_nulls_with: 0}
  - name: north_or_zero
    type: derived
    expression: north_orders * 10
    fill_nulls_with: 7
  - {name: revenue_so_far, type: cumulative, expression: orders.revenue, period_aggregate: last}
  - {name: buyers_of_7_days, type: cumulative, expression: orders.buyers, window: 7 days}
  - {name: gifts_this_month, type: cumulative, expression: orders.gift_count, grain_to_date: month, period_aggregate: average}
  - {name: tickets_of_30_hours, type: cumulative, expression: tickets.count, window: 30 hours, period_aggregate: last}
  - name: revenue_a_week_ago
    type: derived
    expression: before
    inputs: [{name: before, expression: orders.revenue, offset: 7 days}]
  - name: north_a_month_ago
    type: derived
    expression: before
    inputs: [{name: before, expression: north_orders, offset: 1 month}]
  - name: orders_at_start
    type: derived
    expression: orders.count - at_start
    inputs: [{name: at_start, expression: orders.count, offset_to_grain: month}]
  - name: tickets_6_hours_ago
    type: derived
    expression: before
    inputs: [{name: before, expression: tickets.count, offset: 6 hours}]
  - {name: growth, type: derived, expression: current.orders.revenue - prior.orders.revenue}
  - name: ten_days_ago
    type: derived
    expression: before * 2
    inputs: [{name: before, expression: revenue_a_week_ago, offset: 3 days}]
  - name: so_far_a_week_ago
    type: derived
    expression: before
    inputs: [{name: before, expression: revenue_so_far, offset: 1 week}]
  - {name: orders_every_day, type: simple, expression: orders.count, join_to_time_spine: true, fill_nulls_with: 0}
  - name: north_every_day
    type: simple
    expression: orders.revenue
    join_to_time_spine: true
    filters: [{dimension: orders.region, operator: equals, value: north}]
  - name: orders_after_tickets
    type: conversion
    base: {expression: tickets.count}
    conversion: {expression: orders.count}
    entity: customer_id
    window: 10 days
    calculation: conversions
  - name: conversion_rate
    type: conversion
    base: {expression: tickets.count}
    conversion: {expression: orders.revenue}
    entity: customer_id
`
