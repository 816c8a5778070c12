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

        // The batch that the page is about, by the part of its address after "#"; empty for all.
        let chosen = "";
        function linkTo(batch, content, title) {
          const link = element("a", "to-batch");
          link.append(content);
          link.href = `#batch=${encodeURIComponent(batch)}`;
          link.title = title;
          return link;
        }

        // What there is of several kinds, in words: "8 in work, 2 sent ahead".
        const counted = counts => counts.filter(c => c[1]).map(c => `${whole.format(c[1])} ${c[0]}`).join(", ");

        // Jobs by what became of them, in the order of the bar.
        function countsOf(batch) {
          const j = Object.assign({ waiting: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }, batch.jobs);
          const answered = Math.min(batch.answered, j.running);
          return [["succeeded", j.succeeded], ["failed", j.failed], ["cancelled", j.cancelled], ["to write", answered],
            ["handed out", j.running - answered], ["waiting", j.waiting]];
        }
        const isOver = batch => batch.state === "finished" || batch.state === "cancelled";
        const totalOf = counts => counts.reduce((sum, c) => sum + c[1], 0);
        function batchBar(counts) {
          const classes = ["succeeded", "failed", "cancelled", "answered", "running"];
          return bar(classes.map((name, index) => [name, counts[index][1]]), totalOf(counts), counted(counts));
        }
        function stateOf(batch) {
          const state = batch.is_paused ? "paused" : batch.state;
          return [batch.trouble ? titled(state, batch.trouble) : state,
            `state ${state}${batch.trouble ? " stuck" : batch.jobs.failed ? " failures" : ""}`];
        }

        function batchCells(batch) {
          const counts = countsOf(batch), failed = counts[1][1], open = counted(counts.slice(3));
          const progress = element("div");
          progress.append(batchBar(counts), element("small", "", isOver(batch) ? "" : open));
          return [
            linkTo(batch.batch, titled(batch.batch, batch.method, batch.results), `All about ${batch.batch}`),
            stateOf(batch), progress,
            [`${whole.format(totalOf(counts.slice(0, 3)))} / ${whole.format(totalOf(counts))}`, "n"],
            [failed ? linkTo(batch.batch, whole.format(failed), `The failed jobs of ${batch.batch}`) : "0", "n"],
            [isOver(batch) ? "–" : short(60 * batch.jobs_per_second), "n"],
            [isOver(batch) ? `took ${duration(batch.elapsed_seconds)}` : duration(batch.seconds_left), "n"],
          ];
        }

        // A text that one takes elsewhere: a click selects all of it, the button copies it.
        function copyable(text) {
          const cell = element("span", "copyable"), code = element("code", "", text), button = element("button", "", "copy");
          button.type = "button";
          button.onclick = async () => {
            getSelection().selectAllChildren(code);
            // The clipboard's interface is there on loopback and under https only.
            try { await navigator.clipboard.writeText(text); } catch { document.execCommand("copy"); }
            button.textContent = "copied";
            setTimeout(() => { button.textContent = "copy"; }, 1500);
          };
          cell.append(code, " ", button);
          return cell;
        }
        const quoted = text => /^[\w.\/@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

        // Only what has changed is drawn anew, so that selected text stays selected.
        function draw(id, key, nodes) {
          if ($(id).dataset.key === key) return;
          $(id).dataset.key = key;
          $(id).replaceChildren(...nodes());
        }

        function showChosen(status) {
          const about = status.chosen, name = chosen;
          $("batch-file").hidden = !about;
          if (!name) return;
          $("batch-name").textContent = about ? `Batch ${name}` : `There is no batch ${name}`;
          for (const id of ["batch-state", "batch-bar", "batch-counts", "batch-note", "batch-about"]) $(id).hidden = !about;
          if (!about) return;
          const batch = about.batch, counts = countsOf(batch), [state, className] = stateOf(batch);
          $("batch-state").className = className;
          $("batch-state").replaceChildren(state);
          $("batch-bar").replaceChildren(batchBar(counts));
          draw("batch-counts", JSON.stringify(counts), () => counts.map(([label, count]) => {
            const tile = element("div");
            tile.append(element("b", "", whole.format(count)), element("span", "", label));
            return tile;
          }));
          const pace = isOver(batch) ? `took ${duration(batch.elapsed_seconds)}`
            : `${short(60 * batch.jobs_per_second)} jobs a minute; ${batch.seconds_left == null ? "how long it takes is not known"
              : `${duration(batch.seconds_left)} left`}`;
          const facts = [["Method", batch.method], ["Pace", pace], ["Results", batch.results], ["On a terminal",
            `winnow status ${quoted(name)}`, `winnow jobs ${quoted(name)} --state failed`,
            `winnow report ${quoted(batch.results || name)}`]];
          draw("batch-facts", JSON.stringify(facts), () => facts.filter(f => f[1]).flatMap(([term, ...texts]) => {
            const text = element("dd");
            for (const one of texts) text.append(term === "Method" || term === "Pace" ? one : copyable(one));
            return [element("dt", "", term), text];
          }));
          draw("batch-parameters", about.parameters, () => [about.parameters]);
        }

        function workerCells(worker) {
          const answered = Math.min(worker.answered, worker.running);
          const ahead = Math.min(worker.ahead, worker.running - answered), inWork = worker.running - answered - ahead;
          const label = [`${whole.format(inWork)} of ${whole.format(worker.capacity)} in work`,
            counted([["sent ahead", ahead], ["to write", answered]])].filter(Boolean).join(", ");
          const load = element("div");
          load.append(bar([["running", inWork]], worker.capacity, label), element("small", "", label));
          return [
            titled(worker.worker, worker.host, worker.key && `key ${worker.key}`),
            [worker.note ? titled(worker.state, worker.note) : worker.state, `state ${worker.state}`],
            worker.state === "lost" ? "" : load, [whole.format(worker.finished), "n"],
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
          const shown = failures.filter(f => !chosen || f.batch === chosen);
          $("failures-title").textContent = chosen ? "Failed jobs" : "Recent failures";
          fill("failures", shown, f => [time(f.at), chosen ? f.batch : linkTo(f.batch, f.batch, `All about ${f.batch}`), f.item, f.reason]);
          $("failures-of").hidden = !chosen || !shown.length;
          $("failures-of").textContent =
            "The last ones since the coordinator started; the command above lists all.";
          $("failures").parentElement.querySelector(".empty").textContent =
            chosen ? "None lately, since the coordinator started; the command above lists older ones."
              : "Nothing has failed since the coordinator started.";
        }

        function show(status) {
          for (const state of ["waiting", "succeeded", "failed"])
            $(state).textContent = whole.format(status.jobs[state] || 0);
          $("running").textContent = whole.format(Math.max(0, (status.jobs.running || 0) - status.answered - status.ahead));
          $("held").textContent = counted([["sent ahead", status.ahead], ["to write", status.answered]]);
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
          showChosen(status);
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
            const asked = chosen;
            const answer = await fetch(`/status.json${asked ? `?batch=${encodeURIComponent(asked)}` : ""}`, { signal: AbortSignal.timeout(10000) });
            if (!answer.ok) throw new Error(await answer.text());
            const status = await answer.json();
            // Another batch may have been chosen meanwhile.
            if (asked === chosen) show(status);
          } catch (error) {
            say(`The coordinator does not answer: ${error.message}`, "no answer", "bad", true);
          }
          if (!document.hidden) timer = setTimeout(update, 2000);
        }
        // The address says what the page is about, so that it can be kept and sent, and "back" goes back.
        function route() {
          chosen = new URLSearchParams(location.hash.slice(1)).get("batch") || "";
          document.title = chosen ? `${chosen} – Winnow` : "Winnow";
          $("overview").hidden = Boolean(chosen);
          $("batch").hidden = !chosen;
          $("batch-file").hidden = true;
          $("batch-name").textContent = chosen && `Batch ${chosen}`;
          document.body.classList.toggle("one", Boolean(chosen));
          scrollTo(0, 0);
          update();
        }
        addEventListener("hashchange", route);
        document.addEventListener("visibilitychange", () => { if (!document.hidden) update(); });
        route();
        """#
}
