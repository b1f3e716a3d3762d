package io.github.loragraph.sagemaker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.cli.TextTable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lora-graph sagemaker metrics}. */
@Command(
    name = "metrics",
    header = "Prints how SageMaker finds the metrics of a training.",
    description = {
      "",
      "A training prints lines of a fixed form, as 'lora-graph metrics: step=120"
          + " validation:loss=0.3525 validation:accuracy=0.8532'. The service reads values out of"
          + " them by the regular expressions that a job is created with: 'MetricDefinitions' of its"
          + " AlgorithmSpecification. 'submit' sends them by itself.",
      ""
    },
    footer = {
      "",
      "Example:",
      "  lora-graph sagemaker metrics --json > metric-definitions.json",
      "",
      "Exit codes: 0 done; 1 failed; 2 wrong usage."
    },
    mixinStandardHelpOptions = true)
final class MetricsCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "Print a JSON array, as MetricDefinitions takes it.")
  private boolean json;

  @Override
  public Integer call() throws JsonProcessingException {
    PrintWriter out = spec.commandLine().getOut();
    List<MetricDefinition> definitions = MetricDefinition.all();
    if (json) {
      List<Map<String, String>> entries = new ArrayList<>();
      for (MetricDefinition definition : definitions) {
        Map<String, String> entry = new LinkedHashMap<>();
        entry.put("Name", definition.name());
        entry.put("Regex", definition.regex());
        entries.add(entry);
      }
      out.println(JSON.writeValueAsString(entries));
    } else {
      List<String[]> rows = new ArrayList<>();
      rows.add(new String[] {"metric", "regex"});
      definitions.forEach(d -> rows.add(new String[] {d.name(), d.regex()}));
      new TextTable(rows, Set.of()).printTo(out);
    }
    out.flush();
    return 0;
  }
}
