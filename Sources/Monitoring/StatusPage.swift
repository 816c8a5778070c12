/// The page itself; its style and its script are files of their own, so that a browser runs nothing else.
enum StatusPage {
    static let html = #"""
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <title>Winnow</title>
          <link rel="icon" href="data:,">
          <link rel="stylesheet" href="/page.css">
          <script src="/page.js" defer></script>
        </head>
        <body>
          <header>
            <h1>Winnow</h1>
            <span id="software" class="quiet"></span>
            <span id="health" class="pill" role="status">connecting</span>
          </header>
          <p id="alarm" role="alert" hidden></p>
          <main>
            <div id="overview">
            <section class="tiles" aria-label="Summary">
              <div><b id="running">–</b><span>in work</span><small id="held"></small></div>
              <div><b id="waiting">–</b><span>waiting</span></div>
              <div><b id="succeeded">–</b><span>succeeded</span></div>
              <div><b id="failed">–</b><span>failed</span></div>
              <div><b id="workers-present">–</b><span id="workers-name">workers</span></div>
              <div><b id="rate">–</b><span>jobs a minute</span></div>
            </section>

            <section>
              <h2>Throughput <small>jobs a minute</small></h2>
              <figure>
                <svg id="chart" viewBox="0 0 720 160" preserveAspectRatio="none" role="img"
                     aria-label="Jobs that ended in each minute"></svg>
                <span id="peak" class="quiet"></span>
                <figcaption class="quiet"><span id="span"></span><span class="legend">
                  <i class="succeeded"></i>succeeded <i class="failed"></i>failed</span><span>now</span></figcaption>
              </figure>
            </section>

            <section>
              <h2>Batches <small id="batches-note"></small></h2>
              <table id="batches">
                <thead><tr><th>Batch</th><th>State</th><th class="wide">Progress</th><th class="n">Done</th>
                  <th class="n">Failed</th><th class="n">Jobs/min</th><th class="n">Time left</th></tr></thead>
                <tbody></tbody>
              </table>
              <p class="empty" hidden>No batch yet: <code>winnow submit BATCH.yaml</code></p>
            </section>

            <section>
              <h2>Workers <small id="workers-note"></small></h2>
              <table id="workers">
                <thead><tr><th>Worker</th><th>State</th><th class="wide">Load</th><th class="n">Finished</th>
                  <th class="n">Jobs/min</th><th class="n">Heard</th></tr></thead>
                <tbody></tbody>
              </table>
              <p class="empty" hidden>No worker yet: <code>winnow worker --connect ADDRESS</code></p>
              <p class="quiet note">In work: jobs that are computed now, of so many at once. Sent ahead: jobs that wait at the worker,
                so that it never pauses. To write: answers that are soon part of a result file.</p>
            </section>
            </div>

            <div id="batch" hidden>
              <p><a href="#">← all batches</a></p>
              <section>
                <h2 id="batch-name"></h2>
                <p id="batch-state" class="state"></p>
                <div id="batch-bar"></div>
                <div id="batch-counts" class="tiles"></div>
                <p id="batch-note" class="quiet note">Handed out: jobs that a worker has, in work or waiting there. To write: answers that are
                  soon part of a result file.</p>
              </section>
              <section id="batch-about"><h2>What it asks for</h2><dl id="batch-facts"></dl></section>
            </div>

            <section>
              <h2 id="failures-title">Recent failures</h2>
              <p id="failures-of" class="quiet" hidden></p>
              <table id="failures">
                <thead><tr><th>When</th><th>Batch</th><th>Item</th><th class="wide">Reason</th></tr></thead>
                <tbody></tbody>
              </table>
              <p class="empty" hidden></p>
            </section>

            <section id="batch-file" hidden>
              <h2>Parameters <small>a batch file with every default</small></h2>
              <pre id="batch-parameters" tabindex="0"></pre>
            </section>
          </main>
          <noscript><p>This page needs its script; <a href="/metrics">/metrics</a> does not.</p></noscript>
        </body>
        </html>
        """#
}
