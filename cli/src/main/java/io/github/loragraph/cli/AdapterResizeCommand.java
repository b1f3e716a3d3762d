package io.github.loragraph.cli;

import io.github.loragraph.Adapter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-graph adapter resize}. */
@Command(
    name = "resize",
    header = "Gives an adapter other ranks, by singular values.",
    description = {
      "",
      "Each layer gets the nearest matrix of the new rank. The scale stays, and alpha goes with the"
          + " rank; head, biases and DoRA's magnitudes are kept. 'energy' is the share of the sum of"
          + " the squares of the singular values that is kept. A higher rank adds zeros.",
      ""
    },
    footer = {"", "Example:", "  lora-graph adapter resize run --energy 0.99 -o smaller"},
    mixinStandardHelpOptions = true)
final class AdapterResizeCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "ADAPTER", description = AdapterArgument.DESCRIPTION)
  private Path path;

  @ArgGroup(multiplicity = "1")
  private Size size;

  /** One of both. */
  static final class Size {
    @Option(names = "--rank", paramLabel = "N", description = "The rank of all layers.")
    private @Nullable Integer rank;

    @Option(
        names = "--energy",
        paramLabel = "SHARE",
        description = "In each layer the lowest rank that keeps this share: 0.99.")
    private @Nullable Double energy;
  }

  @Mixin private AdapterOutput folder;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    folder.check();
    Adapter adapter = AdapterArgument.open(path, output);
    Adapter.Resized resized =
        size.rank != null
            ? adapter.resize(size.rank)
            : adapter.resizeToEnergy(Objects.requireNonNull(size.energy));
    resized.adapter().notes().forEach(output::say);
    Map<String, Object> result = new LinkedHashMap<>();
    folder.write(resized.adapter(), result);
    List<Map<String, Object>> layers = new ArrayList<>();
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"layer", "rank before", "rank", "energy kept"});
    for (Adapter.ResizedLayer layer : resized.layers()) {
      Map<String, Object> each = new LinkedHashMap<>();
      each.put("path", layer.path());
      each.put("before", layer.before());
      each.put("rank", layer.rank());
      each.put("energy", layer.energy());
      layers.add(each);
      rows.add(
          new String[] {
            layer.path(),
            "%d".formatted(layer.before()),
            "%d".formatted(layer.rank()),
            "%.4f%%".formatted(100 * layer.energy())
          });
    }
    result.put("layers", layers);
    result.put("energy", resized.energy());
    output.print(
        result,
        out -> {
          new TextTable(rows, Set.of(1, 2, 3)).printTo(out);
          out.printf("%nenergy kept in all: %.4f%%%n", 100 * resized.energy());
          out.println("written: " + result.get("output"));
        });
    return 0;
  }
}
