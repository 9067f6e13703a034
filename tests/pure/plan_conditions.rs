//! Every condition that a plan can decide: a plan that meets it, and a close one that does not.
//!
//! The plans are cut down to what decides; `tests/plans.rs` has whole ones from real servers.

use pgassay::plan;
use pgassay::plan::draw::Assayed;

/// Kind, a plan that has it, and a twin that has not.
const CONDITIONS: &[(&str, &str, &str)] = &[
    (
        "sequential-scan-filter",
        "Seq Scan on orders o  (cost=0.00..9000.00 rows=5 width=8) (actual time=1.0..90.0 rows=5 loops=1)\n  Filter: (o.code = 7)\n  Rows Removed by Filter: 99995\n",
        "Seq Scan on orders o  (cost=0.00..9000.00 rows=60000 width=8) (actual time=1.0..90.0 rows=60000 loops=1)\n  Filter: (o.code > 7)\n  Rows Removed by Filter: 40000\n",
    ),
    (
        "sequential-scan-filter",
        "Seq Scan on orders o  (cost=0.00..9000.00 rows=5 width=8)\n  Filter: (o.code = 7)\n",
        "Seq Scan on orders o  (cost=0.00..90.00 rows=5 width=8)\n  Filter: (o.code = 7)\n",
    ),
    (
        "filter-behind-index",
        "Index Scan using orders_customer on orders o  (cost=0.42..900.00 rows=2 width=8) (actual time=0.1..50.0 rows=2 loops=1)\n  Index Cond: (o.customer_id = 7)\n  Filter: (o.code = 7)\n  Rows Removed by Filter: 20000\n",
        "Index Scan using orders_customer on orders o  (cost=0.42..900.00 rows=9000 width=8) (actual time=0.1..50.0 rows=9000 loops=1)\n  Index Cond: (o.customer_id = 7)\n  Filter: (o.code = 7)\n  Rows Removed by Filter: 20000\n",
    ),
    (
        "column-in-expression",
        "Seq Scan on people p  (cost=0.00..9000.00 rows=5 width=8) (actual time=1.0..90.0 rows=1 loops=1)\n  Filter: (lower(p.email) = 'a'::text)\n  Rows Removed by Filter: 99999\n",
        "Index Scan using people_lower on people p  (cost=0.42..8.00 rows=1 width=8) (actual time=0.1..90.0 rows=1 loops=1)\n  Index Cond: (lower(p.email) = 'a'::text)\n",
    ),
    (
        "rows-misestimated",
        "Sort  (cost=900.00..999.00 rows=3 width=8) (actual time=150.0..190.0 rows=90000 loops=1)\n  Sort Key: a.name\n  Sort Method: quicksort  Memory: 900kB\n  ->  Hash Join  (cost=10.00..500.00 rows=3 width=8) (actual time=1.0..90.0 rows=90000 loops=1)\n        Hash Cond: (a.id = b.a)\n        ->  Seq Scan on a  (cost=0.00..200.00 rows=90000 width=4) (actual time=0.1..10.0 rows=90000 loops=1)\n        ->  Hash  (cost=5.00..5.00 rows=100 width=4) (actual time=1.0..1.0 rows=100 loops=1)\n              ->  Seq Scan on b  (cost=0.00..5.00 rows=100 width=4) (actual time=0.1..0.5 rows=100 loops=1)\n",
        "Sort  (cost=900.00..999.00 rows=30000 width=8) (actual time=150.0..190.0 rows=90000 loops=1)\n  Sort Key: a.name\n  Sort Method: quicksort  Memory: 900kB\n  ->  Hash Join  (cost=10.00..500.00 rows=30000 width=8) (actual time=1.0..90.0 rows=90000 loops=1)\n        Hash Cond: (a.id = b.a)\n        ->  Seq Scan on a  (cost=0.00..200.00 rows=90000 width=4) (actual time=0.1..10.0 rows=90000 loops=1)\n        ->  Hash  (cost=5.00..5.00 rows=100 width=4) (actual time=1.0..1.0 rows=100 loops=1)\n              ->  Seq Scan on b  (cost=0.00..5.00 rows=100 width=4) (actual time=0.1..0.5 rows=100 loops=1)\n",
    ),
    (
        "sort-for-limit",
        "Limit  (cost=9000.00..9000.10 rows=10 width=8) (actual time=90.0..90.1 rows=10 loops=1)\n  ->  Sort  (cost=9000.00..9200.00 rows=90000 width=8) (actual time=90.0..90.0 rows=10 loops=1)\n        Sort Key: p.score DESC\n        Sort Method: top-N heapsort  Memory: 25kB\n        ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=8) (actual time=0.1..40.0 rows=90000 loops=1)\n",
        "Limit  (cost=9000.00..9000.10 rows=80000 width=8) (actual time=90.0..90.1 rows=80000 loops=1)\n  ->  Sort  (cost=9000.00..9200.00 rows=90000 width=8) (actual time=90.0..90.0 rows=80000 loops=1)\n        Sort Key: p.score DESC\n        Sort Method: quicksort  Memory: 2500kB\n        ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=8) (actual time=0.1..40.0 rows=90000 loops=1)\n",
    ),
    (
        "distinct-over-sort",
        "Unique  (cost=9000.00..9200.00 rows=100 width=8) (actual time=80.0..99.0 rows=100 loops=1)\n  ->  Sort  (cost=9000.00..9100.00 rows=90000 width=8) (actual time=80.0..90.0 rows=90000 loops=1)\n        Sort Key: p.city, p.score DESC\n        Sort Method: quicksort  Memory: 9000kB\n        ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=8) (actual time=0.1..20.0 rows=90000 loops=1)\n",
        "Unique  (cost=9000.00..9200.00 rows=80000 width=8) (actual time=80.0..99.0 rows=80000 loops=1)\n  ->  Sort  (cost=9000.00..9100.00 rows=90000 width=8) (actual time=80.0..90.0 rows=90000 loops=1)\n        Sort Key: p.city, p.score DESC\n        Sort Method: quicksort  Memory: 9000kB\n        ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=8) (actual time=0.1..20.0 rows=90000 loops=1)\n",
    ),
    (
        "ends-by-full-scan",
        "Aggregate  (cost=900.00..900.01 rows=1 width=8) (actual time=90.0..90.0 rows=1 loops=1)\n  Output: max(score)\n  ->  Seq Scan on public.people p  (cost=0.00..800.00 rows=90000 width=8) (actual time=0.1..40.0 rows=90000 loops=1)\n        Output: id, score\n",
        "Aggregate  (cost=900.00..900.01 rows=1 width=8) (actual time=90.0..90.0 rows=1 loops=1)\n  Output: max(score), sum(score)\n  ->  Seq Scan on public.people p  (cost=0.00..800.00 rows=90000 width=8) (actual time=0.1..40.0 rows=90000 loops=1)\n        Output: id, score\n",
    ),
    (
        "index-read-beyond",
        "Index Scan using people_city_score on people p  (cost=0.42..9000.00 rows=3 width=8) (actual time=1.0..90.0 rows=3 loops=1)\n  Index Cond: (p.score = 7)\n",
        "Index Scan using people_score on people p  (cost=0.42..90.00 rows=30 width=8) (actual time=1.0..90.0 rows=30 loops=1)\n  Index Cond: (p.score = 7)\n",
    ),
    (
        "code-per-row",
        "Seq Scan on people p  (cost=0.00..9000.00 rows=5000 width=8) (actual time=1.0..900.0 rows=5000 loops=1)\n  Buffers: shared hit=90\n",
        "Seq Scan on people p  (cost=0.00..9000.00 rows=900000 width=8) (actual time=1.0..900.0 rows=900000 loops=1)\n  Buffers: shared hit=9000\n",
    ),
    (
        "correlated-columns",
        "Nested Loop  (cost=0.42..990.00 rows=10 width=8) (actual time=1.0..390.0 rows=40000 loops=1)\n  ->  Seq Scan on people p  (cost=0.00..900.00 rows=10 width=8) (actual time=1.0..90.0 rows=40000 loops=1)\n        Filter: ((p.city = 'Berlin'::text) AND (p.country = 'DE'::text))\n        Rows Removed by Filter: 1000\n  ->  Index Scan using orders_person on orders o  (cost=0.42..8.44 rows=1 width=8) (actual time=0.005..0.006 rows=1 loops=40000)\n        Index Cond: (o.person = p.id)\n",
        "Nested Loop  (cost=0.42..990.00 rows=30000 width=8) (actual time=1.0..390.0 rows=40000 loops=1)\n  ->  Seq Scan on people p  (cost=0.00..900.00 rows=30000 width=8) (actual time=1.0..90.0 rows=40000 loops=1)\n        Filter: ((p.city = 'Berlin'::text) AND (p.country = 'DE'::text))\n        Rows Removed by Filter: 1000\n  ->  Index Scan using orders_person on orders o  (cost=0.42..8.44 rows=1 width=8) (actual time=0.005..0.006 rows=1 loops=40000)\n        Index Cond: (o.person = p.id)\n",
    ),
    (
        "heap-fetches",
        "Index Only Scan using people_pkey on people p  (cost=0.42..900.00 rows=9000 width=8) (actual time=0.1..90.0 rows=9000 loops=1)\n  Index Cond: (p.id < 9001)\n  Heap Fetches: 9000\n",
        "Index Only Scan using people_pkey on people p  (cost=0.42..900.00 rows=9000 width=8) (actual time=0.1..90.0 rows=9000 loops=1)\n  Index Cond: (p.id < 9001)\n  Heap Fetches: 90\n",
    ),
    (
        "lossy-bitmap",
        "Bitmap Heap Scan on people p  (cost=90.00..9000.00 rows=90000 width=8) (actual time=9.0..90.0 rows=90000 loops=1)\n  Recheck Cond: (p.code < 5)\n  Rows Removed by Index Recheck: 300000\n  Heap Blocks: exact=100 lossy=4000\n  ->  Bitmap Index Scan on people_code  (cost=0.00..80.00 rows=90000 width=0) (actual time=8.0..8.0 rows=90000 loops=1)\n        Index Cond: (p.code < 5)\n",
        "Bitmap Heap Scan on people p  (cost=90.00..9000.00 rows=90000 width=8) (actual time=9.0..90.0 rows=90000 loops=1)\n  Recheck Cond: (p.code < 5)\n  Heap Blocks: exact=4100\n  ->  Bitmap Index Scan on people_code  (cost=0.00..80.00 rows=90000 width=0) (actual time=8.0..8.0 rows=90000 loops=1)\n        Index Cond: (p.code < 5)\n",
    ),
    (
        "join-compares-all",
        "Nested Loop  (cost=900.00..9000.00 rows=2000 width=8) (actual time=9.0..900.0 rows=2000 loops=1)\n  Join Filter: (a.span && b.span)\n  Rows Removed by Join Filter: 4998000\n  ->  Seq Scan on a  (cost=0.00..90.00 rows=5000 width=4) (actual time=0.1..2.0 rows=5000 loops=1)\n  ->  Materialize  (cost=0.00..50.00 rows=1000 width=4) (actual time=0.001..0.05 rows=1000 loops=5000)\n        ->  Index Scan using b_day on b  (cost=0.00..45.00 rows=1000 width=4) (actual time=0.1..1.0 rows=1000 loops=1)\n              Index Cond: (b.day = 7)\n",
        "Nested Loop  (cost=900.00..9000.00 rows=2000 width=8) (actual time=9.0..900.0 rows=2000 loops=1)\n  Join Filter: (a.span && b.span)\n  Rows Removed by Join Filter: 8000\n  ->  Seq Scan on a  (cost=0.00..90.00 rows=5000 width=4) (actual time=0.1..2.0 rows=5000 loops=1)\n  ->  Materialize  (cost=0.00..50.00 rows=1000 width=4) (actual time=0.001..0.05 rows=1000 loops=5000)\n        ->  Index Scan using b_day on b  (cost=0.00..45.00 rows=1000 width=4) (actual time=0.1..1.0 rows=1000 loops=1)\n              Index Cond: (b.day = 7)\n",
    ),
    (
        "coarse-index",
        "Bitmap Heap Scan on people p  (cost=90.00..9000.00 rows=90 width=8) (actual time=9.0..90.0 rows=90 loops=1)\n  Recheck Cond: (p.code = 5)\n  Rows Removed by Index Recheck: 300000\n  Heap Blocks: lossy=4000\n  ->  Bitmap Index Scan on people_code  (cost=0.00..80.00 rows=90000 width=0) (actual time=8.0..8.0 rows=40960 loops=1)\n        Index Cond: (p.code = 5)\n",
        "Bitmap Heap Scan on people p  (cost=90.00..9000.00 rows=90 width=8) (actual time=9.0..90.0 rows=300000 loops=1)\n  Recheck Cond: (p.code = 5)\n  Rows Removed by Index Recheck: 900\n  Heap Blocks: lossy=4000\n  ->  Bitmap Index Scan on people_code  (cost=0.00..80.00 rows=90000 width=0) (actual time=8.0..8.0 rows=40960 loops=1)\n        Index Cond: (p.code = 5)\n",
    ),
    (
        "join-without-condition",
        "Hash Semi Join  (cost=900.00..9000.00 rows=90 width=8) (actual time=9.0..9000.0 rows=40 loops=1)\n  Hash Cond: ((a.x + b.x) = c.x)\n  ->  Nested Loop  (cost=0.00..9000.00 rows=4000000 width=8) (actual time=0.1..8000.0 rows=4000000 loops=1)\n        ->  Seq Scan on a  (cost=0.00..90.00 rows=2000 width=4) (actual time=0.1..2.0 rows=2000 loops=1)\n        ->  Materialize  (cost=0.00..95.00 rows=2000 width=4) (actual time=0.001..0.5 rows=2000 loops=2000)\n              ->  Seq Scan on b  (cost=0.00..90.00 rows=2000 width=4) (actual time=0.1..2.0 rows=2000 loops=1)\n                    Filter: (b.day < 9)\n  ->  Hash  (cost=9.00..9.00 rows=90 width=4) (actual time=0.1..0.1 rows=90 loops=1)\n        ->  Seq Scan on c  (cost=0.00..9.00 rows=90 width=4) (actual time=0.1..0.1 rows=90 loops=1)\n",
        "Nested Loop  (cost=0.00..9000.00 rows=4000000 width=8) (actual time=0.1..8000.0 rows=4000000 loops=1)\n  ->  Seq Scan on a  (cost=0.00..90.00 rows=2000 width=4) (actual time=0.1..2.0 rows=2000 loops=1)\n  ->  Index Scan using b_day on b  (cost=0.00..95.00 rows=2000 width=4) (actual time=0.001..0.5 rows=2000 loops=2000)\n        Index Cond: (b.day < a.day)\n",
    ),
    (
        "slow-lookups",
        "Bitmap Heap Scan on people p  (cost=90.00..9000.00 rows=9000 width=8) (actual time=9.0..5600.0 rows=9900 loops=1)\n  Recheck Cond: (p.score > 99)\n  Heap Blocks: exact=9400\n  ->  Bitmap Index Scan on people_score  (cost=0.00..80.00 rows=9000 width=0) (actual time=8.0..8.0 rows=9900 loops=1)\n        Index Cond: (p.score > 99)\n",
        "Bitmap Heap Scan on people p  (cost=90.00..9000.00 rows=9000 width=8) (actual time=9.0..56.0 rows=9900 loops=1)\n  Recheck Cond: (p.score > 99)\n  Heap Blocks: exact=9400\n  ->  Bitmap Index Scan on people_score  (cost=0.00..80.00 rows=9000 width=0) (actual time=8.0..8.0 rows=9900 loops=1)\n        Index Cond: (p.score > 99)\n",
    ),
    (
        "slow-lookups",
        "Index Scan using parts_span on parts p  (cost=0.41..8.43 rows=1 width=8) (actual time=1600.0..1600.0 rows=0 loops=1)\n  Index Cond: (p.span >> '[100,110]'::int4range)\n",
        "Index Scan using parts_span on parts p  (cost=0.41..8.43 rows=1 width=8) (actual time=1600.0..1600.0 rows=0 loops=1)\n  Index Cond: (p.span >> '[100,110]'::int4range)\n  Buffers: shared hit=900\n",
    ),
    (
        "few-groups",
        "Finalize GroupAggregate  (cost=9000.00..9001.00 rows=5 width=8) (actual time=90.0..91.0 rows=5 loops=1)\n  Group Key: species\n  ->  Gather Merge  (cost=9000.00..9000.50 rows=10 width=8) (actual time=89.0..90.9 rows=15 loops=1)\n        Workers Planned: 2\n        Workers Launched: 2\n        ->  Sort  (cost=8000.00..8000.01 rows=5 width=8) (actual time=80.0..80.1 rows=5 loops=3)\n              Sort Key: species\n              Sort Method: quicksort  Memory: 25kB\n              ->  Partial HashAggregate  (cost=7900.00..7990.00 rows=5 width=8) (actual time=79.0..80.0 rows=5 loops=3)\n                    Group Key: species\n                    ->  Parallel Seq Scan on trees  (cost=0.00..7000.00 rows=166667 width=8) (actual time=0.1..20.0 rows=133333 loops=3)\n",
        "Finalize GroupAggregate  (cost=9000.00..9001.00 rows=50000 width=8) (actual time=90.0..91.0 rows=50000 loops=1)\n  Group Key: species\n  ->  Gather Merge  (cost=9000.00..9000.50 rows=10 width=8) (actual time=89.0..90.9 rows=150000 loops=1)\n        Workers Planned: 2\n        Workers Launched: 2\n        ->  Sort  (cost=8000.00..8000.01 rows=5 width=8) (actual time=80.0..80.1 rows=50000 loops=3)\n              Sort Key: species\n              Sort Method: quicksort  Memory: 25kB\n              ->  Partial HashAggregate  (cost=7900.00..7990.00 rows=5 width=8) (actual time=79.0..80.0 rows=50000 loops=3)\n                    Group Key: species\n                    ->  Parallel Seq Scan on trees  (cost=0.00..7000.00 rows=166667 width=8) (actual time=0.1..20.0 rows=133333 loops=3)\n",
    ),
    (
        "sort-on-disk",
        "Sort  (cost=9000.00..9200.00 rows=90000 width=80) (actual time=80.0..90.0 rows=90000 loops=1)\n  Sort Key: p.name\n  Sort Method: external merge  Disk: 9000kB\n  ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80) (actual time=0.1..10.0 rows=90000 loops=1)\n",
        "Sort  (cost=9000.00..9200.00 rows=90000 width=80) (actual time=80.0..90.0 rows=90000 loops=1)\n  Sort Key: p.name\n  Sort Method: quicksort  Memory: 9000kB\n  ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80) (actual time=0.1..10.0 rows=90000 loops=1)\n",
    ),
    (
        "sort-on-disk",
        "Sort  (cost=9000.00..9200.00 rows=90000 width=80)\n  Sort Key: p.name\n  ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80)\n",
        "Sort  (cost=9000.00..9200.00 rows=9000 width=80)\n  Sort Key: p.name\n  ->  Seq Scan on people p  (cost=0.00..900.00 rows=9000 width=80)\n",
    ),
    (
        "hash-in-batches",
        "Hash Join  (cost=900.00..9000.00 rows=90000 width=8) (actual time=9.0..90.0 rows=90000 loops=1)\n  Hash Cond: (a.id = b.a)\n  ->  Seq Scan on a  (cost=0.00..900.00 rows=90000 width=4) (actual time=0.1..10.0 rows=90000 loops=1)\n  ->  Hash  (cost=500.00..500.00 rows=90000 width=40) (actual time=40.0..40.0 rows=90000 loops=1)\n        Buckets: 65536  Batches: 8  Memory Usage: 4000kB\n        ->  Seq Scan on b  (cost=0.00..500.00 rows=90000 width=40) (actual time=0.1..9.0 rows=90000 loops=1)\n",
        "Hash Join  (cost=900.00..9000.00 rows=90000 width=8) (actual time=9.0..90.0 rows=90000 loops=1)\n  Hash Cond: (a.id = b.a)\n  ->  Seq Scan on a  (cost=0.00..900.00 rows=90000 width=4) (actual time=0.1..10.0 rows=90000 loops=1)\n  ->  Hash  (cost=500.00..500.00 rows=90000 width=40) (actual time=40.0..40.0 rows=90000 loops=1)\n        Buckets: 65536  Batches: 1  Memory Usage: 9000kB\n        ->  Seq Scan on b  (cost=0.00..500.00 rows=90000 width=40) (actual time=0.1..9.0 rows=90000 loops=1)\n",
    ),
    (
        "hash-in-batches",
        "Hash Join  (cost=900.00..9000.00 rows=90000 width=8)\n  Hash Cond: (a.id = b.a)\n  ->  Seq Scan on a  (cost=0.00..900.00 rows=90000 width=4)\n  ->  Hash  (cost=5000.00..5000.00 rows=900000 width=40)\n        ->  Seq Scan on b  (cost=0.00..5000.00 rows=900000 width=40)\n",
        "Hash Join  (cost=900.00..9000.00 rows=90000 width=8)\n  Hash Cond: (a.id = b.a)\n  ->  Seq Scan on a  (cost=0.00..900.00 rows=90000 width=4)\n  ->  Hash  (cost=5000.00..5000.00 rows=9000 width=40)\n        ->  Seq Scan on b  (cost=0.00..5000.00 rows=9000 width=40)\n",
    ),
    (
        "aggregate-on-disk",
        "HashAggregate  (cost=900.00..9000.00 rows=90000 width=8) (actual time=9.0..90.0 rows=90000 loops=1)\n  Group Key: p.name\n  Batches: 9  Memory Usage: 4145kB  Disk Usage: 5000kB\n  ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80) (actual time=0.1..10.0 rows=90000 loops=1)\n",
        "HashAggregate  (cost=900.00..9000.00 rows=90000 width=8) (actual time=9.0..90.0 rows=90000 loops=1)\n  Group Key: p.name\n  Batches: 1  Memory Usage: 9145kB\n  ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80) (actual time=0.1..10.0 rows=90000 loops=1)\n",
    ),
    (
        "temporary-blocks",
        "CTE Scan on c  (cost=900.00..9000.00 rows=90000 width=8) (actual time=9.0..90.0 rows=90000 loops=1)\n  Buffers: shared hit=500, temp read=9000 written=9000\n  CTE c\n    ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80) (actual time=0.1..10.0 rows=90000 loops=1)\n          Buffers: shared hit=500\n",
        "CTE Scan on c  (cost=900.00..9000.00 rows=90000 width=8) (actual time=9.0..90.0 rows=90000 loops=1)\n  Buffers: shared hit=500, temp read=9 written=9\n  CTE c\n    ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80) (actual time=0.1..10.0 rows=90000 loops=1)\n          Buffers: shared hit=500\n",
    ),
    (
        "filtered-cte",
        "CTE Scan on c  (cost=900.00..9000.00 rows=9 width=8) (actual time=9.0..90.0 rows=9 loops=1)\n  Filter: (c.id = 7)\n  Rows Removed by Filter: 89991\n  CTE c\n    ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80) (actual time=0.1..10.0 rows=90000 loops=1)\n",
        "CTE Scan on c  (cost=900.00..9000.00 rows=80000 width=8) (actual time=9.0..90.0 rows=80000 loops=1)\n  Filter: (c.id > 7)\n  Rows Removed by Filter: 10000\n  CTE c\n    ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80) (actual time=0.1..10.0 rows=90000 loops=1)\n",
    ),
    (
        "filtered-cte",
        "CTE Scan on c  (cost=900.00..2900.00 rows=450 width=8)\n  Filter: (c.id = 7)\n  CTE c\n    ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80)\n",
        "CTE Scan on c  (cost=900.00..2900.00 rows=30000 width=8)\n  Filter: (c.id > 7)\n  CTE c\n    ->  Seq Scan on people p  (cost=0.00..900.00 rows=90000 width=80)\n",
    ),
    (
        "large-offset",
        "Limit  (cost=400.00..401.00 rows=10 width=8) (actual time=50.0..50.1 rows=10 loops=1)\n  ->  Index Scan using people_pkey on people p  (cost=0.42..900.00 rows=90000 width=8) (actual time=0.1..50.0 rows=40010 loops=1)\n",
        "Limit  (cost=0.42..1.00 rows=10 width=8) (actual time=0.1..50.1 rows=10 loops=1)\n  ->  Index Scan using people_pkey on people p  (cost=0.42..900.00 rows=90000 width=8) (actual time=0.1..50.0 rows=10 loops=1)\n",
    ),
    (
        "order-by-limit-filter",
        "Limit  (cost=0.42..90.00 rows=10 width=8) (actual time=80.0..90.0 rows=10 loops=1)\n  ->  Index Scan using people_at on people p  (cost=0.42..9000.00 rows=100 width=8) (actual time=0.1..90.0 rows=10 loops=1)\n        Filter: (p.code = 7)\n        Rows Removed by Filter: 90000\n",
        "Limit  (cost=0.42..90.00 rows=10 width=8) (actual time=80.0..90.0 rows=10 loops=1)\n  ->  Index Scan using people_at on people p  (cost=0.42..9000.00 rows=100 width=8) (actual time=0.1..90.0 rows=10 loops=1)\n        Filter: (p.code = 7)\n        Rows Removed by Filter: 90\n",
    ),
    (
        "order-by-limit-filter",
        "Limit  (cost=0.42..900.00 rows=10 width=8)\n  ->  Index Scan using people_at on people p  (cost=0.42..9000.00 rows=100 width=8)\n        Filter: (p.code = 7)\n",
        "Limit  (cost=0.42..900.00 rows=1000 width=8)\n  ->  Index Scan using people_at on people p  (cost=0.42..9000.00 rows=10000 width=8)\n        Filter: (p.code > 7)\n",
    ),
    (
        "many-loops",
        "Nested Loop  (cost=0.42..900.00 rows=10 width=8) (actual time=1.0..90.0 rows=20000 loops=1)\n  ->  Seq Scan on a  (cost=0.00..200.00 rows=10 width=4) (actual time=0.1..10.0 rows=20000 loops=1)\n  ->  Index Scan using b_pkey on b  (cost=0.42..8.00 rows=1 width=4) (actual time=0.004..0.004 rows=1 loops=20000)\n        Index Cond: (b.id = a.b)\n",
        "Nested Loop  (cost=0.42..900.00 rows=20000 width=8) (actual time=1.0..90.0 rows=20000 loops=1)\n  ->  Seq Scan on a  (cost=0.00..200.00 rows=20000 width=4) (actual time=0.1..10.0 rows=20000 loops=1)\n  ->  Index Scan using b_pkey on b  (cost=0.42..8.00 rows=1 width=4) (actual time=0.004..0.004 rows=1 loops=20000)\n        Index Cond: (b.id = a.b)\n",
    ),
    (
        "inner-sequential-scan",
        "Nested Loop  (cost=0.00..90000.00 rows=900 width=8)\n  Join Filter: (a.b > b.id)\n  ->  Seq Scan on a  (cost=0.00..20.00 rows=900 width=4)\n  ->  Seq Scan on b  (cost=0.00..90.00 rows=4000 width=4)\n",
        "Nested Loop  (cost=0.00..300.00 rows=2 width=8)\n  Join Filter: (a.b > b.id)\n  ->  Seq Scan on a  (cost=0.00..20.00 rows=2 width=4)\n  ->  Seq Scan on b  (cost=0.00..90.00 rows=4000 width=4)\n",
    ),
    (
        "subplan-per-row",
        "Seq Scan on a  (cost=0.00..90000.00 rows=5000 width=8) (actual time=0.1..90.0 rows=5000 loops=1)\n  SubPlan 1\n    ->  Index Scan using b_pkey on b  (cost=0.42..8.00 rows=1 width=4) (actual time=0.015..0.015 rows=1 loops=5000)\n          Index Cond: (b.id = a.b)\n",
        "Seq Scan on a  (cost=0.00..90000.00 rows=50 width=8) (actual time=0.1..90.0 rows=50 loops=1)\n  SubPlan 1\n    ->  Index Scan using b_pkey on b  (cost=0.42..8.00 rows=1 width=4) (actual time=1.5..1.5 rows=1 loops=50)\n          Index Cond: (b.id = a.b)\n",
    ),
    (
        "subplan-not-hashed",
        "Seq Scan on a  (cost=0.00..90000.00 rows=5000 width=8)\n  Filter: (NOT (SubPlan 1))\n  SubPlan 1\n    ->  Materialize  (cost=0.00..800.00 rows=9000 width=4)\n          ->  Seq Scan on b  (cost=0.00..90.00 rows=9000 width=4)\n",
        "Seq Scan on a  (cost=0.00..90000.00 rows=5000 width=8)\n  Filter: (NOT (hashed SubPlan 1))\n  SubPlan 1\n    ->  Seq Scan on b  (cost=0.00..90.00 rows=9000 width=4)\n",
    ),
    (
        "read-from-disk",
        "Seq Scan on a  (cost=0.00..9000.00 rows=90000 width=8) (actual time=0.1..90.0 rows=90000 loops=1)\n  Buffers: shared hit=10 read=5000\n",
        "Seq Scan on a  (cost=0.00..9000.00 rows=90000 width=8) (actual time=0.1..90.0 rows=90000 loops=1)\n  Buffers: shared hit=5000 read=10\n",
    ),
    (
        "many-blocks-per-row",
        "Index Scan using a_code on a  (cost=0.42..900.00 rows=100 width=8) (actual time=0.1..90.0 rows=100 loops=1)\n  Index Cond: (a.code = 7)\n  Buffers: shared hit=9000\n",
        "Index Scan using a_code on a  (cost=0.42..900.00 rows=100 width=8) (actual time=0.1..90.0 rows=100 loops=1)\n  Index Cond: (a.code = 7)\n  Buffers: shared hit=104\n",
    ),
    (
        "workers-not-launched",
        "Gather  (cost=1000.00..9000.00 rows=90000 width=8) (actual time=0.1..90.0 rows=90000 loops=1)\n  Workers Planned: 2\n  Workers Launched: 0\n  ->  Parallel Seq Scan on a  (cost=0.00..900.00 rows=40000 width=8) (actual time=0.1..80.0 rows=90000 loops=1)\n",
        "Gather  (cost=1000.00..9000.00 rows=90000 width=8) (actual time=0.1..90.0 rows=90000 loops=1)\n  Workers Planned: 2\n  Workers Launched: 2\n  ->  Parallel Seq Scan on a  (cost=0.00..900.00 rows=40000 width=8) (actual time=0.1..80.0 rows=30000 loops=3)\n",
    ),
    (
        "jit",
        "Seq Scan on a  (cost=0.00..9000.00 rows=90000 width=8) (actual time=0.1..190.0 rows=90000 loops=1)\nPlanning Time: 0.1 ms\nJIT:\n  Functions: 9\n  Options: Inlining true, Optimization true, Expressions true, Deforming true\n  Timing: Generation 1.0 ms, Inlining 20.0 ms, Optimization 50.0 ms, Emission 40.0 ms, Total 111.0 ms\nExecution Time: 200.0 ms\n",
        "Seq Scan on a  (cost=0.00..9000.00 rows=90000 width=8) (actual time=0.1..2190.0 rows=90000 loops=1)\nPlanning Time: 0.1 ms\nJIT:\n  Functions: 9\n  Options: Inlining true, Optimization true, Expressions true, Deforming true\n  Timing: Generation 1.0 ms, Inlining 20.0 ms, Optimization 50.0 ms, Emission 40.0 ms, Total 111.0 ms\nExecution Time: 2200.0 ms\n",
    ),
    (
        "jit",
        "Seq Scan on a  (cost=0.00..110000.00 rows=90000 width=8)\nJIT:\n  Functions: 9\n  Options: Inlining false, Optimization false, Expressions true, Deforming true\n",
        "Seq Scan on a  (cost=0.00..910000.00 rows=90000 width=8)\nJIT:\n  Functions: 9\n  Options: Inlining true, Optimization true, Expressions true, Deforming true\n",
    ),
    (
        "planning-time",
        "Seq Scan on a  (cost=0.00..9.00 rows=9 width=8) (actual time=0.1..2.0 rows=9 loops=1)\nPlanning Time: 80.0 ms\nExecution Time: 2.0 ms\n",
        "Seq Scan on a  (cost=0.00..9.00 rows=9 width=8) (actual time=0.1..200.0 rows=9 loops=1)\nPlanning Time: 80.0 ms\nExecution Time: 200.0 ms\n",
    ),
    (
        "trigger-time",
        "Delete on a  (cost=0.00..9.00 rows=0 width=0) (actual time=2.0..2.0 rows=0 loops=1)\n  ->  Seq Scan on a  (cost=0.00..9.00 rows=9 width=6) (actual time=0.1..1.0 rows=9 loops=1)\nPlanning Time: 0.1 ms\nTrigger for constraint b_a_fkey: time=900.0 calls=9\nExecution Time: 903.0 ms\n",
        "Delete on a  (cost=0.00..9.00 rows=0 width=0) (actual time=2.0..2.0 rows=0 loops=1)\n  ->  Seq Scan on a  (cost=0.00..9.00 rows=9 width=6) (actual time=0.1..1.0 rows=9 loops=1)\nPlanning Time: 0.1 ms\nTrigger for constraint b_a_fkey: time=0.1 calls=9\nExecution Time: 3.0 ms\n",
    ),
    (
        "memoize-evictions",
        "Nested Loop  (cost=0.42..9000.00 rows=20000 width=8) (actual time=1.0..90.0 rows=20000 loops=1)\n  ->  Seq Scan on a  (cost=0.00..200.00 rows=20000 width=4) (actual time=0.1..5.0 rows=20000 loops=1)\n  ->  Memoize  (cost=0.43..0.50 rows=1 width=4) (actual time=0.003..0.003 rows=1 loops=20000)\n        Cache Key: a.b\n        Hits: 1000  Misses: 19000  Evictions: 18000  Overflows: 0  Memory Usage: 4097kB\n        ->  Index Scan using b_pkey on b  (cost=0.42..0.49 rows=1 width=4) (actual time=0.001..0.001 rows=1 loops=19000)\n              Index Cond: (b.id = a.b)\n",
        "Nested Loop  (cost=0.42..9000.00 rows=20000 width=8) (actual time=1.0..90.0 rows=20000 loops=1)\n  ->  Seq Scan on a  (cost=0.00..200.00 rows=20000 width=4) (actual time=0.1..5.0 rows=20000 loops=1)\n  ->  Memoize  (cost=0.43..0.50 rows=1 width=4) (actual time=0.003..0.003 rows=1 loops=20000)\n        Cache Key: a.b\n        Hits: 19000  Misses: 1000  Evictions: 0  Overflows: 0  Memory Usage: 97kB\n        ->  Index Scan using b_pkey on b  (cost=0.42..0.49 rows=1 width=4) (actual time=0.001..0.001 rows=1 loops=1000)\n              Index Cond: (b.id = a.b)\n",
    ),
];

fn kinds(text: &str) -> Vec<&'static str> {
    let mut plans = plan::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(plans.len(), 1, "{text}");
    Assayed::new(plans.remove(0)).tips.iter().map(|tip| tip.kind).collect()
}

#[test]
fn each_condition_is_told_and_its_twin_is_not() {
    let mut wrong = Vec::new();
    for (kind, fires, twin) in CONDITIONS {
        let (found, other) = (kinds(fires), kinds(twin));
        if !found.contains(kind) {
            wrong.push(format!("{kind}: only {found:?} told of\n{fires}"));
        }
        if other.contains(kind) {
            wrong.push(format!("{kind}: told of its twin\n{twin}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A scan of each of many partitions, and of few.
#[test]
fn many_partitions_are_told() {
    let plan = |partitions: usize| {
        let scan = |n: usize| format!("  ->  Seq Scan on t_{n} t  (cost=0.00..90.00 rows=900 width=8)\n");
        let scans: String = (1..=partitions).map(scan).collect();
        format!("Append  (cost=0.00..9000.00 rows=90000 width=8)\n{scans}")
    };
    assert!(kinds(&plan(120)).contains(&"many-partitions"));
    assert!(!kinds(&plan(20)).contains(&"many-partitions"));
}

/// What stands around a plan makes no difference to it.
#[test]
fn plans_are_read_as_people_paste_them() {
    let text = "Limit  (cost=0.42..9000.00 rows=10 width=8) (actual time=0.1..90.0 rows=10 loops=1)\n  Output: id, (count(*))\n  ->  Seq Scan on people p  (cost=0.00..9000.00 rows=900 width=8) (actual time=0.1..90.0 rows=10 loops=1)\n        Filter: (p.code > 7)\nPlanning Time: 0.1 ms\nExecution Time: 90.1 ms\n";
    let plain = plan::read(text).expect("a plan");
    let marked = |mark: &str| text.lines().map(|line| format!("{mark}{line}\n")).collect::<String>();
    let wide = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let wrapped: String = {
        let rule = format!("+{}+\n", "-".repeat(62));
        let lines = text.lines().map(|line| {
            let characters: Vec<char> = line.chars().collect();
            let pieces: Vec<String> = characters.chunks(60).map(|piece| piece.iter().collect()).collect();
            let last = pieces.len() - 1;
            let rows = pieces.iter().enumerate().map(|(at, piece)| {
                let (before, behind) = (if at > 0 { '.' } else { ' ' }, if at < last { '.' } else { ' ' });
                format!("|{before}{piece:<60}{behind}|\n")
            });
            rows.collect::<String>()
        });
        format!("{rule}|{:^62}|\n{rule}{}{rule}(6 rows)\n", "QUERY PLAN", lines.collect::<String>())
    };
    assert!(wide > 60 && wrapped.contains(".|"), "{wrapped}");
    let pasted = [
        ("quoted mail", marked("> ")),
        ("quoted twice", marked("> > ")),
        ("a bar before each line", marked("| ")),
        (
            "asciidoc",
            format!("[options=\"header\"]\n|====\n^l|QUERY PLAN\n{}|====\n\n....\n(6 rows)\n....\n", marked("|")),
        ),
        ("spaces that do not break", text.replace(' ', "\u{a0}")),
        ("lines that psql wrapped", wrapped),
    ];
    for (what, pasted) in pasted {
        let plans = plan::read(&pasted).unwrap_or_else(|error| panic!("{what}: {error}\n{pasted}"));
        assert_eq!(plans.len(), 1, "{what}");
        assert_eq!(plans[0].nodes, plain[0].nodes, "{what}");
        assert_eq!(plans[0].execution_time, plain[0].execution_time, "{what}");
    }
}

/// A literal with a line break goes on at the margin: what follows belongs to the same node.
#[test]
fn a_literal_over_lines_closes_no_node() {
    let text = "Hash Join  (cost=10.76..20.91 rows=1 width=474) (actual time=0.076..0.077 rows=0 loops=1)\n  Hash Cond: (b.day = a.day)\n  ->  Seq Scan on b  (cost=0.42..10.37 rows=54 width=237) (actual time=0.021..0.022 rows=1 loops=1)\n  ->  Hash  (cost=10.32..10.32 rows=1 width=237) (actual time=0.037..0.038 rows=0 loops=1)\n        Buckets: 1024  Batches: 1  Memory Usage: 8kB\n        ->  Seq Scan on a  (cost=0.42..10.32 rows=1 width=237) (actual time=0.037..0.037 rows=0 loops=1)\n              Filter: (remark ~~ '%r\n--  r\nno: key%'::text)\n              Rows Removed by Filter: 49\n";
    let plan = plan::read(text).expect("a plan").remove(0);
    assert_eq!(plan.nodes[0].removed_by_filter, None);
    assert_eq!(plan.nodes[3].removed_by_filter, Some(49.0));
    // What somebody wrote between two lines is no part of a number.
    let remarked =
        text.replace("Batches: 1  Memory Usage: 8kB\n", "Batches: 1  Memory Usage: 8kB\n        # look here\n");
    let hash = plan::read(&remarked).expect("a plan").remove(0).nodes[2].counters.hash;
    assert_eq!(hash.map(|hash| hash.kilobytes), Some(8.0));
}

#[test]
fn yaml_that_was_cut_is_called_cut_and_xml_keeps_its_entities() {
    let yaml = "- Plan:\n    Node Type: \"Hash Join\"\n    Join Type: \"Inner\"\n    Plan Rows: 9\n    Plans:\n      - Node Type: \"Seq Scan\"\n        Parent Relationship: \"Outer\"\n        Relation Name: \"a\"\n        Plan Rows: 9\n";
    assert!(plan::read(yaml).expect("a plan")[0].cut.is_some());
    let xml = "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>\n    <Plan>\n      <Node-Type>Seq Scan</Node-Type>\n      <Relation-Name>t</Relation-Name>\n      <Plan-Rows>9</Plan-Rows>\n      <Filter>(a &lt;&gt; 'x -&gt; &quot;y&quot;'::text)</Filter>\n    </Plan>\n  </Query>\n</explain>\n";
    let read = plan::read(xml).expect("a plan").remove(0);
    assert_eq!(read.nodes[0].condition(plan::node::ConditionKind::Filter), Some("(a <> 'x -> \"y\"'::text)"));
}

/// PowerShell's redirection writes UTF-16.
#[test]
fn text_is_read_in_the_encodings_of_windows() {
    let text = "Seq Scan on \u{e4}  (cost=0.00..9.00 rows=9 width=8)\n";
    let little: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big, text.as_bytes().to_vec()] {
        assert_eq!(plan::text_of(&bytes), text);
    }
}
