package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.ModelInfo;
import io.github.loragraph.ModelInfo.LinearLayer;
import io.github.loragraph.ModelInfo.OtherLayer;
import io.github.loragraph.ModelInfo.Parameter;
import io.github.loragraph.ModelInfo.PeftAdapter;
import io.github.loragraph.ParameterCount;
import io.github.loragraph.RuntimeBuild;
import io.github.loragraph.error.Counted;
import io.github.loragraph.error.PlainText;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph inspect}. */
@Command(
    name = "inspect",
    header = "Shows the Linear layers of a model and counts its parameters.",
    description = {
      "",
      "Lists every Linear layer with its module path, sizes and operator, and whether an adapter is"
          + " beside it. With --match only those whose path the expression is found in. Layers of"
          + " other forms, which cannot be adapted, are named with the reason and what to do, and"
          + " so are PEFT's adapters that were in the model when it was exported.",
      "",
      "The count is PyTorch's: a weight that is tied counts once, a quantized one as the weight"
          + " that it stands for; scales, zero points and buffers are no parameters.",
      ""
    },
    footer = {"", "Example:", "  lora-graph inspect model.onnx --match 'query|output' --verbose"},
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  @Mixin private ModelArgument model;
  @Mixin private ResultOutput output;

  @Option(
      names = "--match",
      paramLabel = "REGEX",
      converter = RegexConverter.class,
      description = "Show only Linear layers in whose module path this is found.")
  private @Nullable Pattern match;

  @Option(
      names = {"-v", "--verbose"},
      description = "One line for each parameter: name, 1 trainable or 0 frozen, count.")
  private boolean verbose;

  @Override
  public Integer call() {
    loadAhead();
    Model opened = model.open(output);
    RuntimeBuild.STOCK.load(); // Of GPUs nothing is needed.
    ModelInfo info = opened.inspect(match);
    ParameterCount count = info.parameterCount();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("totalParameters", count.total());
    result.put("trainableParameters", count.trainable());
    result.put("linears", info.linears().stream().map(InspectCommand::json).toList());
    result.put("unrecognised", info.notAdaptable().stream().map(InspectCommand::json).toList());
    result.put("peftAdapters", info.peftAdapters().stream().map(InspectCommand::json).toList());
    List<Parameter> tied = info.parameters().stream().filter(p -> !p.copies().isEmpty()).toList();
    result.put("tied", tied.stream().map(InspectCommand::tied).toList());
    result.put("recognised", info.recognised());
    if (verbose) {
      result.put("parameters", info.parameters().stream().map(InspectCommand::json).toList());
    }
    output.print(
        result,
        out -> {
          printLinears(out, info);
          printUnrecognised(out, info.notAdaptable());
          printPeft(out, info.peftAdapters());
          if (verbose) {
            out.println();
            info.parameters()
                .forEach(
                    p ->
                        out.printf(
                            "%s %d %d%n",
                            PlainText.line(p.name()), p.trainable() ? 1 : 0, p.count()));
          }
          out.println();
          if (!info.recognised().isEmpty()) {
            out.println("Recognised for training: " + listed(info.recognised()));
          }
          tied.forEach(
              p ->
                  out.println(
                      "Tied, counted and trained as one: %s = %s"
                          .formatted(p.name(), String.join(" = ", p.copies()))));
          out.println(count);
        });
    return 0;
  }

  /** Loads ONNX Runtime while the model is read. */
  private static void loadAhead() {
    Thread thread =
        new Thread(
            () -> {
              try {
                RuntimeBuild.STOCK.load();
              } catch (RuntimeException | Error e) {
                // It is loaded again when the model is read, and fails alike.
              }
            },
            "lora-graph runtime");
    thread.setDaemon(true);
    thread.start();
  }

  private static String listed(Map<String, Integer> recognised) {
    return recognised.entrySet().stream()
        .map(e -> e.getKey().replaceFirst("Pattern$", "") + " " + e.getValue())
        .collect(Collectors.joining(", "));
  }

  private void printLinears(PrintWriter out, ModelInfo info) {
    if (info.linears().isEmpty()) {
      out.println(
          match == null
              ? "The model has no Linear layers"
                  + (info.notAdaptable().isEmpty() ? "." : " that can be adapted.")
              : "No Linear layer matches '%s'; without --match all are listed.".formatted(match));
      return;
    }
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"Linear", "in", "out", "operator", ""});
    for (LinearLayer linear : info.linears()) {
      rows.add(
          new String[] {
            linear.path(),
            Long.toString(linear.in()),
            Long.toString(linear.out()),
            linear.operator(),
            linear.adapted() ? "adapted" : ""
          });
    }
    new TextTable(rows, Set.of(1, 2)).printTo(out);
  }

  private static void printUnrecognised(PrintWriter out, List<OtherLayer> layers) {
    if (layers.isEmpty()) {
      return;
    }
    out.println();
    out.printf("Not adaptable: %s%n", Counted.of(layers.size(), "layer", "layers"));
    Map<String, List<OtherLayer>> byReason = new LinkedHashMap<>();
    for (OtherLayer layer : layers) {
      String reason = layer.operator() + ": " + layer.reason() + "; " + layer.remedy();
      byReason.computeIfAbsent(reason, k -> new ArrayList<>()).add(layer);
    }
    byReason.forEach(
        (reason, alike) -> {
          out.println("  " + reason);
          alike.forEach(layer -> out.println("    " + layer.path()));
        });
  }

  private static void printPeft(PrintWriter out, List<PeftAdapter> adapters) {
    if (adapters.isEmpty()) {
      return;
    }
    out.println();
    out.printf(
        "PEFT adapters in the model: %,d (trained as they stand by 'lora-graph train' without"
            + " inject, with the head)%n",
        adapters.size());
    adapters.forEach(a -> out.printf("  %s (%s, rank %d)%n", a.path(), a.name(), a.rank()));
  }

  private static Map<String, Object> json(OtherLayer layer) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", layer.path());
    json.put("node", layer.node());
    json.put("op", layer.operator());
    json.put("reason", layer.reason());
    json.put("remedy", layer.remedy());
    return json;
  }

  private static Map<String, Object> json(PeftAdapter adapter) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", adapter.path());
    json.put("name", adapter.name());
    json.put("rank", adapter.rank());
    return json;
  }

  private static Map<String, Object> json(LinearLayer linear) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", linear.path());
    json.put("in", linear.in());
    json.put("out", linear.out());
    json.put("op", linear.operator());
    json.put("adapted", linear.adapted());
    return json;
  }

  private static Map<String, Object> json(Parameter parameter) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", parameter.name());
    json.put("shape", parameter.shape());
    json.put("count", parameter.count());
    json.put("trainable", parameter.trainable());
    return json;
  }

  private static Map<String, Object> tied(Parameter parameter) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", parameter.name());
    json.put("copies", parameter.copies());
    return json;
  }
}
