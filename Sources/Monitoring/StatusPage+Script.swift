extension StatusPage {
    /// Asks for the status every two seconds while the page is visible, and shows it; text never becomes markup.
    static let script = #"""
        "use strict";
        const $ = id => document.getElementById(id);
        const whole = new Intl.NumberFormat();
        const short = x => x >= 100 ? whole.format(Math.round(x)) : x >= 10 ? x.toFixed(1) : x > 0 ? x.toFixed(2) : "0";

        function duration(seconds) {
          if (seconds == null) return "–";
          const s = Math.round(seconds), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
          if (d > 0) return `${d} d ${h % 24} h`;
          if (h > 0) return `${h} h ${m % 60} min`;
          if (m > 0) return `${m} min ${s % 60} s`;
          return `${s} s`;
        }

        function time(seconds) {
          const date = new Date(1000 * seconds), clock = date.toLocaleTimeString([], { hourCycle: "h23" });
          return Date.now() / 1000 - seconds < 43200 ? clock : `${date.toLocaleDateString()} ${clock}`;
        }

        function element(name, className, text) {
          const e = document.createElement(name);
          if (className) e.className = className;
          if (text !== undefined) e.textContent = text;
          return e;
        }

        // Rows keep their elements from one update to the next, so that selected text stays selected.
        function fill(table, items, cells) {
          const body = $(table).tBodies[0];
          while (body.rows.length > items.length) body.deleteRow(-1);
          items.forEach((item, index) => {
            const row = body.rows[index] || body.insertRow();
            cells(item).forEach((cell, column) => {
              const td = row.cells[column] || row.insertCell();
              td.dataset.label = $(table).tHead.rows[0].cells[column].textContent;
              const [text, className, title] = Array.isArray(cell) ? cell : [cell];
              if (td.className !== (className || "")) td.className = className || "";
              if (title !== undefined && td.title !== title) td.title = title;
              if (text instanceof Node) td.replaceChildren(text);
              else if (td.textContent !== text || td.firstElementChild) td.textContent = text;
            });
          });
          $(table).hidden = items.length === 0;
          $(table).parentElement.querySelector(".empty").hidden = items.length > 0;
        }

        function bar(parts, total, label) {
          const bar = element("div", "bar");
          bar.setAttribute("role", "img");
          bar.setAttribute("aria-label", label);
          bar.title = label;
          for (const [className, count] of parts) {
            if (!count) continue;
            const part = element("i", className);
            part.style.width = `${100 * count / Math.max(1, total)}%`;
            bar.append(part);
          }
          return bar;
        }

        // A name with what belongs to it under it, in small letters.
        function titled(name, ...details) {
          const cell = element("div", "", name);
          for (const detail of details) if (detail) cell.append(element("small", "", detail));
          return cell;
        }

        // The failures of one batch instead of all.
        let failuresOf = "";
        function failedLink(batch, count) {
          const link = element("a", "", whole.format(count));
          link.href = "#failures";
          link.title = `The failed jobs of ${batch}`;
          link.onclick = () => { failuresOf = batch; showFailures(); };
          return link;
        }

        function batchCells(batch) {
          const j = Object.assign({ waiting: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }, batch.jobs);
          const total = Object.values(j).reduce((a, b) => a + b, 0);
          const done = j.succeeded + j.failed + j.cancelled;
          const over = batch.state === "finished" || batch.state === "cancelled";
          const parts = ["succeeded", "failed", "cancelled", "running"].map(s => [s, j[s]]);
          const label = Object.entries(j).filter(e => e[1]).map(e => `${whole.format(e[1])} ${e[0]}`).join(", ");
          const state = batch.is_paused ? "paused" : batch.state;
          return [
            titled(batch.batch, batch.method, batch.results),
            [batch.trouble ? titled(state, batch.trouble) : state,
              `state ${state}${batch.trouble ? " stuck" : j.failed ? " failures" : ""}`],
            bar(parts, total, label), [`${whole.format(done)} / ${whole.format(total)}`, "n"],
            [j.failed ? failedLink(batch.batch, j.failed) : "0", "n"],
            [over ? "–" : short(60 * batch.jobs_per_second), "n"],
            [over ? `took ${duration(batch.elapsed_seconds)}` : duration(batch.seconds_left), "n"],
          ];
        }

        function workerCells(worker) {
          const label = `${worker.running} of ${worker.capacity} slots`;
          return [
            titled(worker.worker, worker.host, worker.key && `key ${worker.key}`),
            [worker.note ? titled(worker.state, worker.note) : worker.state, `state ${worker.state}`],
            bar([["running", worker.running]], worker.capacity, label), [whole.format(worker.finished), "n"],
            [short(60 * worker.jobs_per_second), "n"], [`${duration(worker.silent_seconds)} ago`, "n"],
          ];
        }

        // The last hour, or as much of it as the coordinator has been up.
        function chart(throughput, seconds) {
          const perMinute = 60 / throughput.interval, minutes = [];
          for (let i = 0; i < throughput.succeeded.length; i += perMinute) {
            const sum = values => values.slice(i, i + perMinute).reduce((a, b) => a + b, 0);
            minutes.push([sum(throughput.succeeded), sum(throughput.failed)]);
          }
          minutes.splice(0, Math.max(0, minutes.length - Math.max(5, Math.ceil(seconds / 60))));
          $("span").textContent = `${minutes.length} minutes ago`;
          const peak = Math.max(1, ...minutes.map(m => m[0] + m[1]));
          const svg = $("chart"), width = 720 / minutes.length, shapes = [];
          const shape = (name, attributes) => {
            const e = document.createElementNS("http://www.w3.org/2000/svg", name);
            for (const key in attributes) e.setAttribute(key, attributes[key]);
            shapes.push(e);
          };
          for (const y of [0.5, 80]) shape("line", { x1: 0, x2: 720, y1: y, y2: y });
          minutes.forEach(([succeeded, failed], i) => {
            let y = 160;
            for (const [name, count] of [["succeeded", succeeded], ["failed", failed]]) {
              const height = 150 * count / peak;
              y -= height;
              if (count) shape("rect", { class: name, x: i * width + 1, y, width: width - 2, height });
            }
          });
          svg.replaceChildren(...shapes);
          $("peak").textContent = minutes.some(m => m[0] + m[1]) ? `peak ${whole.format(peak)}` : "nothing yet";
        }

        let failures = [];
        function showFailures() {
          const shown = failures.filter(f => !failuresOf || f.batch === failuresOf), note = $("failures-of");
          fill("failures", shown, f => [time(f.at), f.batch, f.item, f.reason]);
          note.hidden = !failuresOf;
          note.firstElementChild.textContent =
            `Of batch ${failuresOf} since the coordinator started. All: winnow jobs ${failuresOf} --state failed`;
          note.lastElementChild.onclick = () => { failuresOf = ""; showFailures(); };
          $("failures").parentElement.querySelector(".empty").textContent =
            failuresOf ? "" : "Nothing has failed since the coordinator started.";
        }

        function show(status) {
          for (const state of ["running", "waiting", "succeeded", "failed"])
            $(state).textContent = whole.format(status.jobs[state] || 0);
          $("workers-present").textContent = whole.format(status.worker_count);
          $("workers-name").textContent = status.worker_count === 1 ? "worker" : "workers";
          $("rate").textContent = short(60 * status.throughput.jobs_per_second);
          $("software").textContent =
            `${status.software}, up ${duration(Date.now() / 1000 - status.started_at)}`;
          $("batches-note").textContent =
            status.batches.length < status.batch_count ? `${status.batches.length} of ${status.batch_count}` : "";
          fill("batches", status.batches, batchCells);
          fill("workers", status.workers, workerCells);
          failures = status.failures;
          showFailures();
          chart(status.throughput, Date.now() / 1000 - status.started_at);
          const trouble = status.store ? `The job store fails, nothing is acknowledged: ${status.store}`
            : status.age > 10 ? `The coordinator has not answered for ${duration(status.age)}.` : "";
          if (trouble) say(trouble, "trouble", "bad", status.age > 10);
          else if (status.attention.length) say(status.attention.join("\n"), "needs attention", "warn", false);
          else say("", "healthy", "good", false);
        }

        function say(alarm, health, level, stale) {
          $("alarm").hidden = !alarm;
          $("alarm").textContent = alarm;
          $("alarm").className = level;
          $("health").textContent = health;
          $("health").className = `pill ${level}`;
          document.body.classList.toggle("stale", stale);
        }

        let timer;
        async function update() {
          clearTimeout(timer);
          try {
            const answer = await fetch("/status.json", { signal: AbortSignal.timeout(10000) });
            if (!answer.ok) throw new Error(await answer.text());
            show(await answer.json());
          } catch (error) {
            say(`The coordinator does not answer: ${error.message}`, "no answer", "bad", true);
          }
          if (!document.hidden) timer = setTimeout(update, 2000);
        }
        document.addEventListener("visibilitychange", () => { if (!document.hidden) update(); });
        update();
        """#
}
