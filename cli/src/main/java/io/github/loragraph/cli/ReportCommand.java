package io.github.loragraph.cli;

import io.github.loragraph.RunReport;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-graph report}. */
@Command(
    name = "report",
    header = "Writes the page of a run, or one that compares runs.",
    description = {
      "",
      "Of one run: loss, learning rate, gradient norm and evaluations as curves, the confusion"
          + " matrix, the worst mistakes with their texts, lengths, trained parameters,"
          + " configuration and machine. Every training writes it into its run folder; here it is"
          + " written again, also while the run goes on.",
      "",
      "Of several runs: their curves on one plot, mean and spread over seeds, and the options that"
          + " differ.",
      "",
      "A page is one file that asks nothing of a network. One that exists is replaced.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph report run",
      "  lora-graph report run-full run-lora -o compare.html"
    },
    mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
  @Mixin private ResultOutput output;

  @Parameters(paramLabel = "RUN", arity = "1..*", description = "The folder of a run.")
  private List<Path> runs;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description =
          "The page to write (default: report.html in the run folder; of several runs"
              + " compare.html).")
  private @Nullable Path target;

  @Override
  public Integer call() {
    Path html =
        target != null
            ? target
            : runs.size() == 1 ? RunReport.usual(runs.get(0)) : Path.of("compare.html");
    if (runs.size() == 1) {
      RunReport.write(runs.get(0), html);
    } else {
      RunReport.writeComparison(runs, html);
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("page", html.toString());
    json.put("runs", runs.stream().map(Path::toString).toList());
    output.print(json, out -> out.println("written: " + html));
    return 0;
  }
}
