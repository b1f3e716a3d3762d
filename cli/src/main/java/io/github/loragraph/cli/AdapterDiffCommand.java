package io.github.loragraph.cli;

import io.github.loragraph.Adapter;
import io.github.loragraph.AdapterDiff;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code lora-graph adapter diff}. */
@Command(
    name = "diff",
    header = "Compares two adapters, layer by layer.",
    description = {
      "",
      "Compared is what each adds to a layer's weight (scale lora_B lora_A), and what was trained"
          + " in full: the Frobenius norms of both and of their difference, the cosine between"
          + " them, and the largest entry of the difference. What only one has is compared with"
          + " zero.",
      ""
    },
    footer = {"", "Example:", "  lora-graph adapter diff monday tuesday"},
    mixinStandardHelpOptions = true)
final class AdapterDiffCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "ADAPTER", description = AdapterArgument.DESCRIPTION)
  private Path first;

  @Parameters(index = "1", paramLabel = "OTHER", description = "What it is compared with.")
  private Path second;

  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    Adapter one = AdapterArgument.open(first, output);
    Adapter other = AdapterArgument.open(second, output);
    AdapterDiff diff = one.diff(other);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("layers", diff.layers().stream().map(AdapterDiffCommand::fields).toList());
    result.put("others", diff.others().stream().map(AdapterDiffCommand::fields).toList());
    result.put("norm", diff.norm());
    result.put("largest", diff.largest());
    result.put("same", diff.isEmpty());
    output.print(result, out -> print(diff, out));
    return 0;
  }

  private static Map<String, Object> fields(AdapterDiff.Part part) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", part.name());
    fields.put("in", part.presence().name().toLowerCase(Locale.ROOT));
    fields.put("firstNorm", part.firstNorm());
    fields.put("secondNorm", part.secondNorm());
    fields.put("norm", part.norm());
    // JSON has no NaN.
    fields.put("cosine", Double.isNaN(part.cosine()) ? null : part.cosine());
    fields.put("largest", part.largest());
    return fields;
  }

  private static void print(AdapterDiff diff, PrintWriter out) {
    List<String[]> rows = new ArrayList<>();
    rows.add(
        new String[] {"", "in", "norm", "other's norm", "difference", "cosine", "largest entry"});
    Stream.concat(diff.layers().stream(), diff.others().stream())
        .forEach(
            part ->
                rows.add(
                    new String[] {
                      part.name(),
                      part.presence().name().toLowerCase(Locale.ROOT),
                      "%.4g".formatted(part.firstNorm()),
                      "%.4g".formatted(part.secondNorm()),
                      "%.4g".formatted(part.norm()),
                      Double.isNaN(part.cosine()) ? "-" : "%.4f".formatted(part.cosine()),
                      "%.3g".formatted(part.largest())
                    }));
    new TextTable(rows, Set.of(2, 3, 4, 5, 6)).printTo(out);
    out.printf(
        "%n%s%n",
        diff.isEmpty()
            ? "the same numbers"
            : "norm of the difference of all layers %.4g, largest entry %.3g"
                .formatted(diff.norm(), diff.largest()));
  }
}
