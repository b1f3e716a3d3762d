package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * An adapter apart from any model, as PEFT (Hugging Face) keeps it in a folder: {@code
 * adapter_config.json} and {@code adapter_model.safetensors}.
 *
 * @param config what it is of and how it counts
 * @param tensors by the keys of PEFT's file and in its layout: {@code
 *     base_model.model.<module>.lora_A.weight} (r, in), {@code .lora_B.weight} (out, r), {@code
 *     .lora_magnitude_vector} (out), and what was trained in full under its parameter's name
 * @param metadata the texts of the safetensors file: {@code format} is {@code pt}, and under {@link
 *     #LORA_GRAPH} there may be what only lora-graph knows
 */
public record PeftAdapter(
    PeftConfig config, Map<String, Tensor> tensors, Map<String, String> metadata) {

  /** The name of the file that has the tensors. */
  public static final String TENSORS_FILE = "adapter_model.safetensors";

  /** The key in the file's metadata of what PEFT's format has no place for, as JSON. */
  public static final String LORA_GRAPH = "lora_graph";

  /** What PEFT's keys begin with. */
  public static final String PREFIX = "base_model.model.";

  /** The file that PEFT wrote before it had safetensors: Python's own format, which runs code. */
  private static final String PICKLE_FILE = "adapter_model.bin";

  private static final Map<String, String> PYTORCH = Map.of("format", "pt");

  public PeftAdapter {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  /** An adapter with no more metadata than PEFT writes. */
  public PeftAdapter(PeftConfig config, Map<String, Tensor> tensors) {
    this(config, tensors, PYTORCH);
  }

  /**
   * Reads an adapter's folder; the tensors are over the file's memory map.
   *
   * @throws LoraGraphException if there is none, or a file of it is missing or breaks the rules of
   *     its format; the message names it
   */
  public static PeftAdapter read(Path folder) {
    requireFolder(folder);
    Path config = folder.resolve(PeftConfig.FILE);
    Path tensors = folder.resolve(TENSORS_FILE);
    if (!Files.exists(config)) {
      throw new LoraGraphException(
          "%s is no adapter: it has no %s%s".formatted(folder, PeftConfig.FILE, inside(folder)));
    }
    PeftConfig read = PeftConfig.read(config);
    if (!Files.exists(tensors)) {
      throw new LoraGraphException(
          Files.exists(folder.resolve(PICKLE_FILE))
              ? "%s is not read, since it can hold any program: save the adapter as safetensors in Python (save_pretrained with safe_serialization)"
                  .formatted(folder.resolve(PICKLE_FILE))
              : "%s is no adapter: it has no %s".formatted(folder, TENSORS_FILE));
    }
    SafetensorsFile file = SafetensorsFile.open(tensors);
    return new PeftAdapter(read, file.tensors(), file.metadata());
  }

  private static void requireFolder(Path folder) {
    if (!Files.exists(folder)) {
      throw new LoraGraphException("there is no adapter's folder " + folder);
    }
    if (!Files.isDirectory(folder)) {
      throw new LoraGraphException(
          "%s is a file: name the folder that has %s and %s"
              .formatted(folder, PeftConfig.FILE, TENSORS_FILE));
    }
  }

  /** PEFT writes an adapter with a name of its own into a folder of that name. */
  private static String inside(Path folder) {
    TreeSet<String> found = new TreeSet<>();
    try (DirectoryStream<Path> children = Files.newDirectoryStream(folder, Files::isDirectory)) {
      for (Path child : children) {
        if (Files.exists(child.resolve(PeftConfig.FILE))) {
          found.add(child.toString());
        }
      }
    } catch (IOException e) {
      return "";
    }
    return found.isEmpty() ? "" : ", but there are some in it: " + String.join(", ", found);
  }

  /**
   * Writes the two files beside their places in a folder, the tensors last.
   *
   * @throws LoraGraphException if one exists and may not be replaced, or cannot be written
   */
  public void stage(Path folder, StagedFiles files) {
    files.write(
        folder.resolve(PeftConfig.FILE),
        out -> out.write(config.toJson().getBytes(StandardCharsets.UTF_8)));
    SafetensorsFile.stage(files, folder.resolve(TENSORS_FILE), tensors, metadata);
  }

  /**
   * The adapted modules by their paths in the base model, in the order of the tensors.
   *
   * @throws LoraGraphException if a tensor of one is missing, or their sizes are not those that the
   *     configuration says; the message names the key
   */
  public Map<String, PeftLayer> layers() {
    return PeftLayer.of(config, tensors);
  }

  /** The tensors that belong to no adapted module: what was trained in full, and biases. */
  public Map<String, Tensor> others() {
    return tensors.entrySet().stream()
        .filter(e -> !PeftLayer.isPart(e.getKey()))
        .collect(
            Collectors.toMap(
                Map.Entry::getKey, Map.Entry::getValue, (a, b) -> a, LinkedHashMap::new));
  }

  /** The number of elements of all tensors. */
  public long parameterCount() {
    return tensors.values().stream().mapToLong(Tensor::elementCount).sum();
  }

  /** The keys of the tensors, in alphabetical order. */
  public List<String> keys() {
    return tensors.keySet().stream().sorted().toList();
  }
}
