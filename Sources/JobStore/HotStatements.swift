internal import GRDB

/// The prepared statements of what happens to every job, kept as long as the store is open.
final class HotStatements {
    let insertItem, insertJob, findItem: HotStatement
    let assign, second, adopt, requeue, withdraw, endWithoutRow, commit, insertOutcome: HotStatement
    let item, unfinished, findShard, findWorker, insertWorker: HotStatement

    init(_ database: Database) throws {
        func prepare(_ sql: String) throws -> HotStatement { try HotStatement(sql, database) }
        insertItem = try prepare(
            """
            INSERT INTO item (batch, ordinal, item_id, body, job) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (batch, item_id) DO NOTHING
            """)
        insertJob = try prepare("INSERT INTO job (id, batch, picture) VALUES (?, ?, ?)")
        findItem = try prepare(
            """
            SELECT job.id, state, body FROM item JOIN job ON job.id = item.job
            WHERE item.batch = ? AND item_id = ?
            """)
        // A job has a worker while it runs; afterwards its row, its attempts or nobody tells.
        assign = try prepare(
            """
            UPDATE job SET state = 1, epoch = ?2, rival = NULL, worker = ?3
            WHERE id = ?1 AND epoch = ?2 - 1 AND state = 0
            """)
        second = try prepare(
            """
            UPDATE job SET rival = ?4, epoch = ?2, worker = ?3
            WHERE id = ?1 AND epoch = ?2 - 1 AND ?4 IN (epoch, rival) AND state = 1
            """)
        adopt = try prepare(
            "UPDATE job SET state = 1, worker = ?3 WHERE id = ?1 AND ?2 IN (epoch, rival) AND state IN (0, 1)")
        requeue = try prepare(
            """
            UPDATE job SET state = 0, rival = NULL, worker = NULL, crash_count = crash_count + ?3,
                fail_count = fail_count + ?4
            WHERE id = ?1 AND ?2 IN (epoch, rival) AND state = 1
            """)
        // What is left is the other one of `epoch` and `rival`; naming neither would let this one count again.
        withdraw = try prepare(
            """
            UPDATE job SET rival = CASE WHEN rival = ?2 THEN NULL ELSE rival END,
                crash_count = crash_count + ?3, fail_count = fail_count + ?4
            WHERE id = ?1 AND ?2 IN (epoch, rival) AND state = 1
            """)
        endWithoutRow = try prepare(
            """
            UPDATE job SET state = 3, rival = NULL, worker = NULL, crash_count = crash_count + ?3,
                fail_count = fail_count + ?4
            WHERE id = ?1 AND ?2 IN (epoch, rival) AND state IN (0, 1)
            """)
        commit = try prepare(
            """
            UPDATE job SET state = ?3, worker = NULL, shard = ?4, row = ?5, won = ?2
            WHERE id = ?1 AND ?2 IN (epoch, rival) AND state IN (0, 1)
            """)
        insertOutcome = try prepare(
            "INSERT OR REPLACE INTO outcome (job, error, answer, visual_tokens, seconds) VALUES (?, ?, ?, ?, ?)")
        item = try prepare("SELECT body FROM item WHERE job = ?")
        unfinished = try prepare(
            """
            SELECT id, picture, epoch, crash_count - crash_base, fail_count - fail_base, state,
                CASE state WHEN 1 THEN (SELECT name FROM worker WHERE worker.id = job.worker) END,
                CASE state WHEN 1 THEN rival END FROM job
            WHERE id > ?1 AND id <= ?3 AND batch = ?2 AND state IN (0, 1) ORDER BY id LIMIT ?4
            """)
        findShard = try prepare(
            "SELECT id FROM shard WHERE batch = (SELECT batch FROM job WHERE id = ?1) AND path = ?2")
        findWorker = try prepare("SELECT id FROM worker WHERE name = ?")
        insertWorker = try prepare("INSERT INTO worker (name) VALUES (?)")
    }
}
