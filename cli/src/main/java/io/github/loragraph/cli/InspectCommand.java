package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.PeftAdapters;
import io.github.loragraph.lora.PeftAdapters.PeftAdapter;
import io.github.loragraph.lora.UnrecognisedLayer;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.training.Trainability;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph inspect}. */
@Command(
    name = "inspect",
    header = "Shows the Linear layers of a model and counts its parameters.",
    description = {
      "",
      "Lists every Linear layer with its module path, sizes and operator, and whether an adapter"
          + " is beside it. With --match only those whose path the expression is found in. Layers of"
          + " other forms, which cannot be adapted, are named with the reason and what to do, and"
          + " so are PEFT's adapters that were in the model when it was exported.",
      "",
      "The count is PyTorch's: a weight that is tied counts once, a quantized one as the weight that"
          + " it stands for; scales, zero points and buffers are no parameters.",
      ""
    },
    footer = {"", "Example:", "  lora-graph inspect model.onnx --match 'query|output' --verbose"},
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  /** Types of more values take longer to infer than one waits for the list of layers. */
  private static final int MOST_NODES = 20_000;

  @Mixin private ModelArgument model;
  @Mixin private ResultOutput output;

  @Option(
      names = "--match",
      paramLabel = "REGEX",
      converter = RegexConverter.class,
      description = "Show only Linear layers in whose module path this is found.")
  private Pattern match;

  @Option(
      names = {"-v", "--verbose"},
      description = "One line for each parameter: name, 1 trainable or 0 frozen, count.")
  private boolean verbose;

  @Override
  public Integer call() {
    Path file = model.folder().modelFile();
    OnnxModel onnx = OnnxFile.read(file);
    return LoraGraphException.in(file, () -> inspect(onnx));
  }

  private int inspect(OnnxModel onnx) {
    List<Linear> linears =
        LinearFinder.find(onnx.graph()).stream()
            .filter(linear -> !PeftAdapters.isAdapter(linear.path()))
            .filter(linear -> match == null || linear.matches(match))
            .toList();
    List<UnrecognisedLayer> unrecognised =
        UnrecognisedLayer.find(onnx).stream()
            .filter(layer -> match == null || layer.matches(match))
            .toList();
    List<PeftAdapter> peft = PeftAdapters.find(onnx.graph());
    Set<String> adapted = LoraMetadata.adaptedPaths(onnx);
    List<Parameter> parameters = Parameters.of(onnx);
    ParameterCount count = ParameterCount.of(parameters);

    Map<String, Integer> recognised = recognised(onnx, parameters, OrtRuntime.ofThisProcess());
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("totalParameters", count.total());
    result.put("trainableParameters", count.trainable());
    result.put("linears", linears.stream().map(l -> json(l, adapted.contains(l.path()))).toList());
    result.put("unrecognised", unrecognised.stream().map(InspectCommand::json).toList());
    result.put("peftAdapters", peft.stream().map(InspectCommand::json).toList());
    result.put(
        "tied", parameters.stream().filter(p -> !p.copies().isEmpty()).map(Tied::json).toList());
    result.put("recognised", recognised);
    if (verbose) {
      result.put("parameters", parameters.stream().map(InspectCommand::json).toList());
    }
    output.print(
        result,
        out -> {
          printLinears(out, linears, unrecognised, adapted);
          printUnrecognised(out, unrecognised);
          printPeft(out, peft);
          if (verbose) {
            out.println();
            parameters.forEach(
                p ->
                    out.printf(
                        "%s %d %d%n", PlainText.line(p.name()), p.trainable() ? 1 : 0, p.count()));
          }
          out.println();
          if (!recognised.isEmpty()) {
            out.println("Recognised for training: " + listed(recognised));
          }
          parameters.stream()
              .filter(p -> !p.copies().isEmpty())
              .forEach(p -> out.println(Tied.inOneLine(p)));
          out.println(count);
        });
    return 0;
  }

  /** What the training form finds in the graph; says so where the model cannot be trained. */
  private Map<String, Integer> recognised(
      OnnxModel model, List<Parameter> parameters, OrtRuntime runtime) {
    Set<String> trainable =
        parameters.stream()
            .filter(Parameter::trainable)
            .map(Parameter::value)
            .collect(Collectors.toSet());
    Map<String, Integer> found = new LinkedHashMap<>();
    if (model.graph().nodes().size() > MOST_NODES) {
      output.log(
          "whether it can be trained was not tried: it has %,d nodes",
          model.graph().nodes().size());
      return found;
    }
    try {
      Trainability.check(model, trainable, new SessionShapeInference(runtime))
          .forEach(
              (name, times) -> {
                if (times > 0) {
                  found.put(name, times);
                }
              });
    } catch (LoraGraphException e) {
      output.log("it cannot be trained as a whole: %s", e.getMessage());
    }
    return found;
  }

  private static String listed(Map<String, Integer> recognised) {
    return recognised.entrySet().stream()
        .map(e -> e.getKey().replaceFirst("Pattern$", "") + " " + e.getValue())
        .collect(Collectors.joining(", "));
  }

  private void printLinears(
      PrintWriter out,
      List<Linear> linears,
      List<UnrecognisedLayer> unrecognised,
      Set<String> adapted) {
    if (linears.isEmpty()) {
      out.println(
          match == null
              ? "The model has no Linear layers"
                  + (unrecognised.isEmpty() ? "." : " that can be adapted.")
              : "No Linear layer matches '%s'; without --match all are listed.".formatted(match));
      return;
    }
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"Linear", "in", "out", "operator", ""});
    for (Linear linear : linears) {
      rows.add(
          new String[] {
            linear.path(),
            Long.toString(linear.in()),
            Long.toString(linear.out()),
            linear.op(),
            adapted.contains(linear.path()) ? "adapted" : ""
          });
    }
    new TextTable(rows, Set.of(1, 2)).printTo(out);
  }

  private static void printUnrecognised(PrintWriter out, List<UnrecognisedLayer> layers) {
    if (layers.isEmpty()) {
      return;
    }
    out.println();
    out.printf("Not adaptable: %,d layer%s%n", layers.size(), layers.size() == 1 ? "" : "s");
    Map<String, List<UnrecognisedLayer>> byReason = new LinkedHashMap<>();
    for (UnrecognisedLayer layer : layers) {
      String reason = layer.op() + ": " + layer.reason() + "; " + layer.remedy();
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

  private static Map<String, Object> json(UnrecognisedLayer layer) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", layer.path());
    json.put("node", layer.node());
    json.put("op", layer.op());
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

  private static Map<String, Object> json(Linear linear, boolean adapted) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", linear.path());
    json.put("in", linear.in());
    json.put("out", linear.out());
    json.put("op", linear.op());
    json.put("adapted", adapted);
    return json;
  }

  private static Map<String, Object> json(Parameter parameter) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", parameter.name());
    json.put("shape", Arrays.stream(parameter.dims()).boxed().toList());
    json.put("count", parameter.count());
    json.put("trainable", parameter.trainable());
    return json;
  }
}
