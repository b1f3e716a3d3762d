package io.github.loragraph.models;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.error.Counted;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.PeftAdapters;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.lora.UnrecognisedLayer;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What is worth saying of a model and what is done with it, a line each. */
public final class ModelNotes {
  private static final int LONGEST = 120;

  /** What is smaller is written as a power of ten. */
  private static final double SMALLEST = 1e-4;

  private ModelNotes() {}

  /**
   * What an injection leaves out or does beyond what was asked for.
   *
   * @param match what the adapters were asked for by
   * @param adapted the module paths that got one
   */
  public static List<String> ofInjection(
      OnnxModel original, Pattern match, Collection<String> adapted) {
    List<String> notes = new ArrayList<>();
    List<UnrecognisedLayer> others =
        UnrecognisedLayer.find(original).stream().filter(l -> l.matches(match)).toList();
    if (!others.isEmpty()) {
      notes.add(
          "not adapted: %s that '%s' matches, as %s"
              .formatted(
                  Counted.of(others.size(), "further layer", "further layers"),
                  match,
                  others.get(0)));
    }
    long peft =
        PeftAdapters.find(original.graph()).stream()
            .filter(a -> match.matcher(a.path()).find())
            .count();
    if (peft > 0) {
      notes.add(
          "not adapted: the %d PEFT adapters in the model that '%s' matches; training the model itself trains those"
              .formatted(peft, match));
    }
    for (Parameter parameter : Parameters.of(original)) {
      for (Parameter.Copy copy : parameter.copies()) {
        if (isAdapted(copy.name(), adapted) || isAdapted(parameter.name(), adapted)) {
          notes.add(
              "%s and %s are one weight: merging the adapter will leave them different"
                  .formatted(parameter.name(), copy.name()));
        }
      }
    }
    return notes;
  }

  private static boolean isAdapted(String weight, Collection<String> adapted) {
    return weight.endsWith(".weight")
        && adapted.contains(weight.substring(0, weight.length() - ".weight".length()));
  }

  /** What is trained as one, and what is not trained although it was asked for. */
  public static List<String> ofSelection(OnnxModel model, TrainableSelection selection) {
    List<String> notes = new ArrayList<>();
    List<Parameter> tied =
        new TrainableSelection(selection.method(), selection.also(), selection.biases())
            .parameters(model).stream().filter(p -> !p.copies().isEmpty()).toList();
    if (!selection.untied()) {
      tied.forEach(parameter -> notes.add(tied(parameter)));
    } else if (tied.isEmpty()) {
      notes.add("untying changes nothing: no weight that is trained is tied");
    }
    List<Parameter> left = selection.left(model);
    if (!left.isEmpty()) {
      notes.add(
          "not trained: %d parameters, as %s, since %s"
              .formatted(left.size(), left.get(0).name(), left.get(0).obstacle()));
    }
    return notes;
  }

  private static String tied(Parameter parameter) {
    return "Tied, counted and trained as one: %s = %s"
        .formatted(
            parameter.name(),
            parameter.copies().stream()
                .map(Parameter.Copy::name)
                .collect(Collectors.joining(" = ")));
  }

  /** The classes that training data do not have, which are not learned from them. */
  public static Optional<String> ofAbsentClasses(
      String name, ModelData data, List<Example> examples) {
    List<String> names = data.labels().names();
    List<String> absent = data.task().absent(examples, names);
    return absent.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%s has no example of %,d of the %,d classes: %s"
                .formatted(
                    name,
                    absent.size(),
                    names.size(),
                    PlainText.shortened(quoted(absent), LONGEST)));
  }

  /**
   * Thresholds of classes, as a line has them: {@code account 0.2105, billing 0.3415}, and how many
   * more there are than the line has room for.
   */
  public static String shown(Map<String, Double> thresholds) {
    StringBuilder line = new StringBuilder();
    int left = thresholds.size();
    for (Map.Entry<String, Double> entry : thresholds.entrySet()) {
      String one = PlainText.shortened(entry.getKey(), LONGEST) + " " + shown(entry.getValue());
      if (!line.isEmpty() && line.length() + one.length() > LONGEST) {
        return "%s and %,d more".formatted(line, left);
      }
      line.append(line.isEmpty() ? "" : ", ").append(one);
      left--;
    }
    return line.toString();
  }

  private static String shown(double threshold) {
    return threshold < SMALLEST
        ? String.format(Locale.ROOT, "%.1e", threshold)
        : Double.toString(threshold);
  }

  /** What thresholds tell that lie where no probability should. */
  public static Optional<String> ofExtreme(Map<String, Double> thresholds) {
    return thresholds.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "thresholds next to 0 or 1 (%s) lie between probabilities that are so, too, as a training that went astray leaves them: try a lower learning rate"
                .formatted(shown(thresholds)));
  }

  /** How many pairs a batch of lists may come to, which decides the memory that it takes. */
  public static Optional<String> ofLists(Loss loss, List<Example> examples, int batchSize) {
    if (!loss.comparesRows()) {
      return Optional.empty();
    }
    int[] sizes = BatchSource.units(examples, true).stream().mapToInt(List::size).toArray();
    Arrays.sort(sizes);
    int queries = Math.min(batchSize, sizes.length);
    long most = Arrays.stream(sizes, sizes.length - queries, sizes.length).asLongStream().sum();
    return Optional.of(
        "a batch has %,d queries with all their candidates: up to %,d pairs"
            .formatted(queries, most));
  }

  private static String quoted(List<String> names) {
    return names.stream().map(name -> "'" + name + "'").collect(Collectors.joining(", "));
  }
}
