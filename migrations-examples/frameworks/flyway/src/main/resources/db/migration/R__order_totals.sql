CREATE OR REPLACE VIEW ${schema}.order_totals AS
SELECT customer_id, count(*) AS orders FROM ${schema}.orders GROUP BY customer_id;
