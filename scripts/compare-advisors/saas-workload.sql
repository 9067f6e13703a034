-- calls: 20000
SELECT id, name, role FROM members WHERE lower(email) = 'member{1..100000}@example.org' AND deleted_at IS NULL;
-- calls: 10000
SELECT id, title, status, due FROM tasks WHERE project_id = {1..40000} AND status <> 'done' ORDER BY priority DESC, due NULLS LAST LIMIT 20;
-- calls: 10000
SELECT id, title, created_at FROM projects WHERE tenant_id = {1..2000} AND NOT archived ORDER BY created_at DESC LIMIT 20;
-- calls: 10000
SELECT t.id, t.title, p.title FROM tasks t JOIN projects p ON p.id = t.project_id WHERE t.assignee_id = {1..100000} AND t.status = 'open' ORDER BY t.due LIMIT 50;
-- calls: 10000
SELECT c.id, c.body, m.name FROM comments c JOIN members m ON m.id = c.author_id WHERE c.task_id = {1..600000} ORDER BY c.created_at;
-- calls: 5000
SELECT count(*) FROM tasks WHERE tenant_id = {1..2000} AND status = '{open|blocked}';
-- calls: 2000
SELECT id, kind, payload FROM outbox WHERE status = 'pending' ORDER BY created_at LIMIT 10;
-- calls: 2000
SELECT id FROM tasks WHERE custom @> '{"ticket": "T{1..600000}"}';
-- calls: 1000
SELECT id, title FROM tasks WHERE tenant_id = {1..2000} AND tags @> ARRAY['tag{0..899}'];
-- calls: 1000
SELECT at, action, object FROM audit WHERE tenant_id = {1..2000} ORDER BY at DESC LIMIT 50;
-- calls: 500
SELECT id, name FROM members WHERE name ILIKE '%{10000..99999}%' LIMIT 10;
-- calls: 500
SELECT count(*) FROM audit WHERE at >= timestamptz '2024-06-01' + interval '{0..60} days' AND at < timestamptz '2024-06-01' + interval '{61..63} days';
-- calls: 200
SELECT id FROM comments WHERE to_tsvector('simple', body) @@ to_tsquery('simple', 'word{0..2999}');
-- calls: 200
SELECT p.id, p.title, count(t.id) AS open FROM projects p LEFT JOIN tasks t ON t.project_id = p.id AND t.status = 'open' WHERE p.tenant_id = {1..2000} GROUP BY p.id ORDER BY open DESC;
-- calls: 100
SELECT m.id, m.email FROM members m WHERE m.tenant_id = {1..2000} AND NOT EXISTS (SELECT FROM tasks t WHERE t.assignee_id = m.id AND t.status = 'open');
-- calls: 100
SELECT id FROM tasks WHERE due < '2025-01-08' AND status IN ('open', 'blocked') ORDER BY due LIMIT 100;
-- calls: 20
SELECT status, count(*), max(updated_at) FROM tasks GROUP BY status;
-- calls: 20000
SELECT value FROM settings WHERE tenant_id = {1..2000} AND name = 's{1..5}';
-- calls: 20000
UPDATE tasks SET updated_at = now(), status = 'done' WHERE id = {1..600000};
-- calls: 20000
INSERT INTO audit VALUES (timestamptz '2025-06-01', {1..2000}, {1..100000}, 'edit', 'task/{1..600000}');
-- calls: 100
DELETE FROM comments WHERE author_id = {1..100000};
