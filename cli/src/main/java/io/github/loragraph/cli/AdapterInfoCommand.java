package io.github.loragraph.cli;

import io.github.loragraph.Adapter;
import io.github.loragraph.AdapterInfo;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.file.AtomicFile;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-graph adapter info}. */
@Command(
    name = "info",
    header = "Shows what an adapter adds to each layer, and in how many directions.",
    description = {
      "",
      "norm is the Frobenius norm of what is added to the weight (scale lora_B lora_A), largest its"
          + " largest singular value, used the number of singular values that have 99 in 100 parts of the"
          + " energy (the sum of their squares), stable the squared norm over the squared largest"
          + " singular value.",
      ""
    },
    footer = {"", "Example:", "  lora-graph adapter info run --picture run.svg"},
    mixinStandardHelpOptions = true)
final class AdapterInfoCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "ADAPTER", description = AdapterArgument.DESCRIPTION)
  private Path path;

  @Option(
      names = "--picture",
      paramLabel = "FILE",
      description = "Draw norms and singular values into an .svg file.")
  private @Nullable Path picture;

  @Option(names = "--force", description = "Replace a picture that exists.")
  private boolean force;

  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    if (picture != null) {
      AtomicFile.checkTarget(picture, force);
    }
    Adapter adapter = AdapterArgument.open(path, output);
    AdapterInfo info = adapter.info();
    if (info.dora()) {
      output.log("%s is a DoRA: its magnitudes, too, change the weights", path);
    }
    if (picture != null) {
      byte[] svg = info.toSvg(path.toString()).getBytes(StandardCharsets.UTF_8);
      AtomicFile.write(picture, force, out -> out.write(svg));
    }
    output.print(result(info), out -> print(info, out));
    return 0;
  }

  private Map<String, Object> result(AdapterInfo info) {
    Map<String, Object> result = new LinkedHashMap<>();
    List<Map<String, Object>> layers = new ArrayList<>();
    for (AdapterInfo.Layer layer : info.layers()) {
      Map<String, Object> each = new LinkedHashMap<>();
      each.put("path", layer.path());
      each.put("in", layer.in());
      each.put("out", layer.out());
      each.put("rank", layer.rank());
      each.put("alpha", layer.alpha());
      each.put("scale", layer.scale());
      each.put("norm", layer.norm());
      each.put("singularValues", layer.singularValues());
      each.put("usedRank", layer.usedRank());
      each.put("stableRank", layer.stableRank());
      each.put("parameters", layer.parameters());
      layers.add(each);
    }
    result.put("layers", layers);
    result.put("others", info.others());
    result.put("norm", info.norm());
    result.put("adapterParameters", info.adapterParameters());
    result.put("otherParameters", info.otherParameters());
    result.put("dora", info.dora());
    result.put("rslora", info.rslora());
    result.put("baseModel", info.baseModel().orElse(null));
    result.put("picture", picture == null ? null : picture.toString());
    return result;
  }

  private void print(AdapterInfo info, PrintWriter out) {
    List<String[]> rows = new ArrayList<>();
    rows.add(
        new String[] {
          "layer", "in", "out", "rank", "scale", "norm", "largest", "used", "stable", "parameters"
        });
    for (AdapterInfo.Layer layer : info.layers()) {
      rows.add(
          new String[] {
            layer.path(),
            "%d".formatted(layer.in()),
            "%d".formatted(layer.out()),
            "%d".formatted(layer.rank()),
            "%.4g".formatted(layer.scale()),
            "%.4g".formatted(layer.norm()),
            "%.4g".formatted(layer.singularValues().isEmpty() ? 0 : layer.singularValues().get(0)),
            "%d".formatted(layer.usedRank()),
            "%.2f".formatted(layer.stableRank()),
            "%,d".formatted(layer.parameters())
          });
    }
    new TextTable(rows, Set.of(1, 2, 3, 4, 5, 6, 7, 8, 9)).printTo(out);
    out.printf(
        "%nadapters of %d layers: %,d parameters, norm of all %.4g%n",
        info.layers().size(), info.adapterParameters(), info.norm());
    if (!info.others().isEmpty()) {
      out.printf(
          "trained in full: %,d parameters (%s)%n",
          info.otherParameters(), PlainText.line(String.join(", ", info.others().keySet())));
    }
    info.baseModel().ifPresent(base -> out.println("base model: " + PlainText.line(base)));
    if (picture != null) {
      out.println("written: " + picture);
    }
  }
}
