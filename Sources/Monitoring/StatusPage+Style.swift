extension StatusPage {
    /// One set of colours for light and one for dark; everything else is the same.
    static let style = #"""
        :root {
          color-scheme: light dark;
          --page: #f6f7f9; --card: #ffffff; --line: #e3e6ea; --text: #1b1f24; --quiet: #5c6570;
          --good: #1f883d; --bad: #cf222e; --busy: #0969da; --idle: #8c959f; --warn: #9a6700; --track: #e9ecef;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #0f1318; --card: #171c23; --line: #2a313b; --text: #e6eaf0; --quiet: #97a1ae;
            --good: #3fb950; --bad: #f85149; --busy: #58a6ff; --idle: #6e7681; --warn: #d29922; --track: #262d36;
          }
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        body { margin: 0; background: var(--page); color: var(--text);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; }
        header, main, #alarm { max-width: 70rem; margin: 0 auto; padding: 0 1.25rem; }
        header { display: flex; align-items: baseline; gap: .75rem; padding-top: 1.25rem; padding-bottom: .75rem; }
        h1 { font-size: 1.375rem; margin: 0; }
        h2 { font-size: 1rem; margin: 0 0 .75rem; }
        small, .quiet { color: var(--quiet); font-weight: normal; font-size: .8125rem; }
        .pill { margin-left: auto; flex: none; padding: .125rem .75rem; border-radius: 1rem; font-size: .8125rem;
          border: 1px solid currentColor; color: var(--quiet); }
        .good { color: var(--good); }
        .warn { color: var(--warn); }
        .bad { color: var(--bad); }
        #alarm { margin: 0 auto 1rem; width: calc(100% - 2.5rem); padding: .75rem 1rem; white-space: pre-line; overflow-wrap: anywhere;
          border: 1px solid currentColor; border-radius: .5rem; background: var(--card); max-width: 67.5rem; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: .625rem;
          padding: 1rem 1.125rem; margin-bottom: 1rem; overflow-x: auto; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: 1rem; }
        .tiles b { display: block; font-size: 1.625rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
        .tiles span { color: var(--quiet); font-size: .8125rem; }
        .tiles small { display: block; }
        .note { margin: .75rem 0 0; }
        .empty:not([hidden]) ~ .note { display: none; }
        #batch > p { margin: 0 0 .75rem; }
        #batch-name { overflow-wrap: anywhere; }
        #batch-state { margin: 0 0 .75rem; }
        #batch-counts { margin-top: 1rem; }
        dl { display: grid; grid-template-columns: auto 1fr; gap: .375rem 1.25rem; margin: 0; }
        dt { color: var(--quiet); }
        dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
        .copyable { display: block; }
        .copyable code { user-select: all; }
        pre { margin: 0; font: .8125rem/1.45 ui-monospace, "Liberation Mono", "DejaVu Sans Mono", monospace; white-space: pre-wrap;
          overflow-wrap: anywhere; }
        a.to-batch { display: block; text-decoration: none; }
        a.to-batch > div { text-decoration: underline; text-underline-offset: .15em; }
        a.to-batch small { text-decoration: none; display: inline-block; width: 100%; }
        td.n a.to-batch, #failures a.to-batch { display: inline; text-decoration: underline; text-underline-offset: .15em; }
        .one #failures :is(th, td):nth-child(2) { display: none; }
        figure { margin: 0; position: relative; padding-top: 1.25rem; }
        svg { display: block; width: 100%; height: 10rem; border-bottom: 1px solid var(--line); }
        rect.succeeded { fill: var(--good); }
        rect.failed { fill: var(--bad); }
        line { stroke: var(--line); vector-effect: non-scaling-stroke; }
        #peak { position: absolute; top: -.25rem; left: 0; }
        figcaption { display: flex; justify-content: space-between; padding-top: .375rem; }
        .legend i { display: inline-block; width: .625rem; height: .625rem; border-radius: .125rem;
          margin: 0 .25rem 0 .625rem; }
        table { border-collapse: collapse; width: 100%; }
        th { text-align: left; color: var(--quiet); font-weight: normal; font-size: .8125rem; white-space: nowrap; }
        th, td { padding: .4375rem .75rem .4375rem 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
        tbody tr:last-child td { border-bottom: 0; }
        td { max-width: 22rem; overflow-wrap: anywhere; }
        td:first-child { min-width: 11rem; }
        .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        th:last-child, td:last-child { padding-right: 0; }
        .wide { width: 34%; }
        #failures .wide { width: 55%; }
        #failures td:last-child { max-width: none; }
        .bar { display: flex; gap: 1px; height: .625rem; min-width: 6rem; border-radius: .3125rem; overflow: hidden;
          background: var(--track); }
        .bar i { height: 100%; }
        i.succeeded { background: var(--good); }
        i.failed { background: var(--bad); }
        i.running { background: var(--busy); }
        i.cancelled { background: var(--idle); }
        i.answered { background: var(--good); opacity: .5; }
        .state::before { content: ""; display: inline-block; width: .5625rem; height: .5625rem; border-radius: 50%;
          background: var(--idle); margin-right: .5rem; }
        .state.running::before, .state.busy::before { background: var(--busy); }
        .state.finished::before { background: var(--good); }
        .state.draining::before, .state.open::before, .state.paused::before { background: var(--warn); }
        .state.stuck::before, .state.failures::before, .state.resting::before, .state.unable::before { background: var(--warn); }
        .state.lost::before { background: var(--bad); }
        .state { min-width: 7rem; }
        td small { display: block; overflow-wrap: anywhere; }
        .state > div { display: inline; }
        .state small { margin-left: 1.0625rem; }
        a { color: inherit; }
        button { font: inherit; font-size: .8125rem; color: inherit; background: none; border: 1px solid var(--line); border-radius: .375rem;
          padding: 0 .5rem; cursor: pointer; }
        #failures td:first-child { min-width: 0; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .empty { margin: 0; color: var(--quiet); }
        code { font: .875em ui-monospace, "Liberation Mono", "DejaVu Sans Mono", monospace; }
        body.stale main { opacity: .55; }
        @media (max-width: 44rem) {
          thead { display: none; }
          table, tbody, tr, td { display: block; }
          tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
          tbody tr:last-child { border-bottom: 0; }
          td, td:first-child, #failures td:last-child { border: 0; padding: .125rem 0; min-width: 0; max-width: none; }
          .wide, #failures .wide { width: auto; }
          dl { grid-template-columns: 1fr; gap: 0; }
          dd + dt { margin-top: .5rem; }
          td.n { display: inline-block; margin-right: 1rem; text-align: left; }
          td.n::before { content: attr(data-label) " "; color: var(--quiet); font-size: .8125rem; }
        }
        """#
}
