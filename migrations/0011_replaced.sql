-- A rejected row whose place a mended one has taken: `rows.state` 5, which no counter counts.

DROP VIEW tenures;
CREATE VIEW tenures AS
SELECT rows.id,
       spaces.name AS space,
       members.name AS member,
       members.user,
       strftime('%Y-%m-%dT%H:%M:%SZ', rows.create_time / 1000000, 'unixepoch') AS createTime,
       strftime('%Y-%m-%dT%H:%M:%SZ', rows.delete_time / 1000000, 'unixepoch') AS deleteTime,
       rows.role,
       CASE rows.state WHEN 0 THEN 'pending' WHEN 1 THEN 'in flight' WHEN 2 THEN 'done'
                       WHEN 3 THEN 'rejected' WHEN 4 THEN 'open' WHEN 5 THEN 'replaced' END AS state,
       rows.attempts,
       rows.http_status AS status,
       rows.kind,
       rows.error,
       rows.membership,
       sources.path || ':' || rows.line AS origin
  FROM rows
  JOIN sources ON sources.id = rows.source
  LEFT JOIN spaces ON spaces.id = rows.id >> 42
  LEFT JOIN members ON members.id = rows.id >> 16 & 67108863 AND rows.id >> 42 > 0;
