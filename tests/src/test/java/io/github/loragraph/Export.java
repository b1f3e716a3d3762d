package io.github.loragraph;

import io.github.loragraph.data.HostTensor;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A small classifier as an exporter wrote it, and the numbers that PyTorch has for its network. The
 * numbers are a model, too, of initializers alone; the README beside the files says which.
 */
final class Export {
  static final List<String> BATCHES = List.of("padded", "one-row", "one-token", "empty-row");
  private static final String NUMBERS = ".expected.onnx";

  private final OnnxModel model;
  private final OnnxModel numbers;

  /**
   * @param file network, operator set and form: {@code distilbert-11-folded}
   */
  Export(String file) {
    model = OnnxFile.read(folder().resolve(file + ".onnx"));
    numbers = OnnxFile.read(folder().resolve(file.substring(0, file.indexOf('-')) + NUMBERS));
  }

  /** All files, without their ending. */
  static List<String> files() {
    try (Stream<Path> files = Files.list(folder())) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".onnx") && !name.endsWith(NUMBERS))
          .map(name -> name.substring(0, name.lastIndexOf('.')))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path folder() {
    try {
      return Path.of(Export.class.getResource("/exports").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  OnnxModel model() {
    return model;
  }

  /** The model with the adapters that PyTorch had. */
  OnnxModel withAdapters() {
    Map<String, String> options = numbers.metadata();
    OnnxModel injected =
        LoraInjector.inject(
            model,
            new InjectionOptions(
                Pattern.compile(options.get("match")),
                Integer.parseInt(options.get("rank")),
                Double.parseDouble(options.get("alpha")),
                InjectionOptions.DEFAULT_HEAD,
                0));
    below("adapters/").forEach((name, t) -> injected.graph().putInitializer(t.withName(name)));
    return injected;
  }

  /** A batch without its labels. */
  List<HostTensor> inputs(String batch) {
    List<HostTensor> inputs = new ArrayList<>();
    below(batch + "/inputs/")
        .forEach((name, t) -> inputs.add(Gradients.longs(name, t.toLongs(), t.dims())));
    return inputs;
  }

  HostTensor labels(String batch) {
    Tensor labels = number(batch + "/labels");
    return Gradients.longs("labels", labels.toLongs(), labels.dims());
  }

  /**
   * @param what {@code full}: the model itself; {@code lora}: with adapters
   */
  double[] logits(String batch, String what) {
    return number(batch + "/" + what + "/logits").toDoubles();
  }

  double loss(String batch, String what) {
    return number(batch + "/" + what + "/loss").toDoubles()[0];
  }

  /** The gradients of all that is trained, by PyTorch's names. */
  Map<String, double[]> gradients(String batch, String what) {
    Map<String, double[]> gradients = new LinkedHashMap<>();
    below(batch + "/" + what + "/gradients/").forEach((n, t) -> gradients.put(n, t.toDoubles()));
    return gradients;
  }

  private Tensor number(String name) {
    return numbers.graph().initializer(name);
  }

  private Map<String, Tensor> below(String prefix) {
    Map<String, Tensor> found = new LinkedHashMap<>();
    numbers
        .graph()
        .initializers()
        .forEach(
            (name, tensor) -> {
              if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), tensor);
              }
            });
    return found;
  }
}
