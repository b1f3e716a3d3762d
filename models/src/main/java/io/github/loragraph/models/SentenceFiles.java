package io.github.loragraph.models;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.training.Pooling;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What sentence-transformers' files beside a model say of its embeddings.
 *
 * <p>Long because what is read and what is written are one format.
 *
 * @param pooling null where nothing says it
 * @param normalize whether the embedding is brought to length 1; null where nothing says it
 * @param maxLength tokens of a text; null where nothing says it
 * @param queryPrompt what queries begin with; null where nothing says it
 * @param documentPrompt what documents begin with; null where nothing says it
 * @param similarity how embeddings are compared by the authors; null where nothing says it
 * @param files the names of those that said something
 */
record SentenceFiles(
    @Nullable Pooling pooling,
    @Nullable Boolean normalize,
    @Nullable Integer maxLength,
    @Nullable String queryPrompt,
    @Nullable String documentPrompt,
    @Nullable String similarity,
    List<String> files) {
  static final String MODULES = "modules.json";
  static final String POOLING = "1_Pooling/config.json";
  static final String LENGTH = "sentence_bert_config.json";
  static final String PROMPTS = "config_sentence_transformers.json";

  /** Further names that prompts of documents have. */
  private static final List<String> OF_DOCUMENTS = List.of("passage", "corpus");

  private static final String SIMILARITY = "similarity_fn_name";

  /** All of them, which go with a model that makes embeddings. */
  static final List<String> NAMES = List.of(MODULES, POOLING, LENGTH, PROMPTS);

  private static final int LONGEST_SHOWN = 60;
  private static final ObjectMapper JSON =
      new ObjectMapper(
          JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());

  /** Modules that change nothing when a model answers. */
  private static final String DROPOUT = "Dropout";

  /** The ways of pooling by the end of their switches {@code pooling_mode_...}; null: not ours. */
  private static final Map<String, @Nullable Pooling> MODES = modes();

  private static Map<String, @Nullable Pooling> modes() {
    Map<String, @Nullable Pooling> modes = new LinkedHashMap<>();
    modes.put("cls_token", Pooling.CLS);
    modes.put("mean_tokens", Pooling.MEAN);
    modes.put("max_tokens", Pooling.MAX);
    modes.put("lasttoken", Pooling.LASTTOKEN);
    modes.put("mean_sqrt_len_tokens", null);
    modes.put("weightedmean_tokens", null);
    return modes;
  }

  /**
   * Reads those that a model's folder has.
   *
   * @throws LoraGraphException if one cannot be read, or says what cannot be done: other modules
   *     than Transformer, Pooling, Normalize and Dropout, or another pooling
   */
  static SentenceFiles of(ModelFolder folder) {
    List<String> files = new ArrayList<>();
    Optional<Path> modules = read(folder, MODULES, files);
    @Nullable Boolean normalize = null;
    String poolingFile = POOLING;
    if (modules.isPresent()) {
      normalize = false;
      for (JsonNode module : json(modules.get())) {
        String type = module.path("type").asText();
        type = type.substring(type.lastIndexOf('.') + 1);
        switch (type) {
          case "Transformer", DROPOUT -> {}
          case "Pooling" -> poolingFile = module.path("path").asText(POOLING) + "/config.json";
          case "Normalize" -> normalize = true;
          default ->
              throw new LoraGraphException(
                  "%s has a module '%s', which cannot be put on: only Transformer, Pooling and Normalize can; export the model with its pooled output"
                      .formatted(modules.get(), PlainText.shortened(type, LONGEST_SHOWN)));
        }
      }
    }
    if (!poolingFile.equals(POOLING)) {
      throw new LoraGraphException(
          "%s has its pooling in %s: put it into %s, with the name in %s"
              .formatted(
                  modules.orElseThrow(),
                  PlainText.shortened(poolingFile, LONGEST_SHOWN),
                  POOLING,
                  MODULES));
    }
    Optional<Path> pooling = read(folder, POOLING, files);
    Optional<Path> prompts = read(folder, PROMPTS, files);
    @Nullable String query = null;
    @Nullable String document = null;
    @Nullable String similarity = null;
    if (prompts.isPresent()) {
      JsonNode root = json(prompts.get());
      similarity = root.path(SIMILARITY).asText();
      similarity = similarity.isEmpty() || similarity.equals("null") ? null : similarity;
      JsonNode byName = root.path("prompts");
      @Nullable String usual =
          prompt(byName, root.path("default_prompt_name").asText(), prompts.get());
      query = orElse(prompt(byName, "query", prompts.get()), usual);
      document = prompt(byName, "document", prompts.get());
      for (String other : OF_DOCUMENTS) {
        document = orElse(document, prompt(byName, other, prompts.get()));
      }
      document = orElse(document, usual);
      if (query == null && document == null) {
        files.remove(PROMPTS);
      }
    }
    if (pooling.isPresent()
        && (query != null || document != null)
        && !json(pooling.get()).path("include_prompt").asBoolean(true)) {
      throw new LoraGraphException(
          "%s leaves the prompt out of the pooling ('include_prompt'), which cannot be done here"
              .formatted(pooling.get()));
    }
    Integer maxLength = read(folder, LENGTH, files).map(SentenceFiles::maxLength).orElse(null);
    if (maxLength == null) {
      files.remove(LENGTH);
    }
    return new SentenceFiles(
        pooling.map(SentenceFiles::pooling).orElse(null),
        normalize,
        maxLength,
        query,
        document,
        similarity,
        List.copyOf(files));
  }

  /**
   * A line where the authors compare embeddings otherwise than by cosine, which is what is done
   * here; empty where it makes no difference.
   *
   * @param normalized whether embeddings have the length 1
   */
  Optional<String> otherSimilarity(@Nullable Boolean normalized) {
    @Nullable String its = similarity;
    if (its == null
        || its.equals("cosine")
        || its.equals("dot") && Boolean.TRUE.equals(normalized)) {
      return Optional.empty();
    }
    return Optional.of(
        "%s says that embeddings are compared by %s ('%s'): here they are compared by cosine"
            .formatted(PROMPTS, PlainText.shortened(its, LONGEST_SHOWN), SIMILARITY));
  }

  private static @Nullable String orElse(@Nullable String first, @Nullable String second) {
    return first == null ? second : first;
  }

  private static @Nullable String prompt(JsonNode prompts, String name, Path file) {
    JsonNode value = prompts.path(name);
    if (value.isMissingNode() || value.isNull() || value.asText().isEmpty()) {
      return null;
    }
    if (!value.isTextual()) {
      throw wrong(file, "prompts." + name, value, "text");
    }
    return value.asText();
  }

  private static @Nullable Integer maxLength(Path file) {
    JsonNode value = json(file).path("max_seq_length");
    if (value.isMissingNode() || value.isNull()) {
      return null;
    }
    if (!value.isInt() || value.asInt() < 1) {
      throw wrong(file, "max_seq_length", value, "a number of tokens");
    }
    return value.asInt();
  }

  private static Pooling pooling(Path file) {
    JsonNode root = json(file);
    List<String> asked = new ArrayList<>();
    MODES.forEach(
        (mode, its) -> {
          if (root.path("pooling_mode_" + mode).asBoolean()) {
            asked.add(its == null ? mode : its.toString());
          }
        });
    JsonNode mode = root.path("pooling_mode");
    if (mode.isArray()) {
      mode.forEach(one -> asked.add(one.asText()));
    } else if (mode.isTextual()) {
      asked.addAll(List.of(mode.asText().split("\\+")));
    }
    List<String> names = asked.stream().distinct().toList();
    Pooling pooling = names.size() == 1 ? named(names.get(0)) : null;
    if (pooling == null) {
      throw new LoraGraphException(
          names.isEmpty()
              ? file + " names no pooling: copy it again"
              : "%s pools by %s, which cannot be put on: one of mean, cls, lasttoken and max can"
                  .formatted(
                      file, PlainText.shortened(String.join(" and ", names), LONGEST_SHOWN)));
    }
    return pooling;
  }

  private static @Nullable Pooling named(String mode) {
    for (Pooling pooling : Pooling.values()) {
      if (pooling.toString().equals(mode)) {
        return pooling;
      }
    }
    return MODES.get(mode);
  }

  private static Optional<Path> read(ModelFolder folder, String name, List<String> files) {
    Optional<Path> file = folder.beside(name);
    file.ifPresent(there -> files.add(name));
    return file;
  }

  private static JsonNode json(Path file) {
    try {
      JsonNode root = JSON.readTree(file.toFile());
      if (root.isObject() || root.isArray() && file.endsWith(MODULES)) {
        return root;
      }
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          "%s:%d is not JSON: mend it, or copy it again"
              .formatted(file, e.getLocation() == null ? 0 : e.getLocation().getLineNr()),
          e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
    throw new LoraGraphException(file + " is not what sentence-transformers writes: copy it again");
  }

  private static LoraGraphException wrong(Path file, String key, JsonNode value, String right) {
    return new LoraGraphException(
        "%s: '%s' is %s where it should be %s: mend it"
            .formatted(file, key, PlainText.shortened(value.toString(), LONGEST_SHOWN), right));
  }

  /** Files that say all of this, where there are none. */
  static Map<String, byte[]> written(
      Pooling pooling,
      boolean normalize,
      int dimension,
      int maxLength,
      String queryPrompt,
      String documentPrompt) {
    return new SentenceFiles(null, null, null, null, null, null, List.of())
        .completed(
            Optional.empty(),
            pooling,
            normalize,
            dimension,
            maxLength,
            queryPrompt,
            documentPrompt);
  }

  /**
   * Files that say what these do not, or say otherwise, by their names: sentence-transformers and
   * later commands read them.
   *
   * @param before the file of prompts that there is
   * @param its null for a model that pools itself: of it prompts alone are said
   * @param dimension numbers of an embedding
   */
  Map<String, byte[]> completed(
      Optional<Path> before,
      @Nullable Pooling its,
      boolean normalized,
      int dimension,
      int length,
      String queries,
      String documents) {
    Map<String, byte[]> written = new LinkedHashMap<>();
    if (its != null && (normalize == null || normalize != normalized)) {
      List<Map<String, Object>> modules = new ArrayList<>();
      modules.add(module(0, "", "Transformer"));
      modules.add(module(1, "1_Pooling", "Pooling"));
      if (normalized) {
        modules.add(module(2, "2_Normalize", "Normalize"));
      }
      written.put(MODULES, bytes(modules));
    }
    if (its != null && pooling != its) {
      Map<String, Object> config = new LinkedHashMap<>();
      config.put("word_embedding_dimension", dimension);
      MODES.forEach((mode, one) -> config.put("pooling_mode_" + mode, its == one));
      written.put(POOLING, bytes(config));
    }
    if (its != null && (maxLength == null || maxLength != length)) {
      Map<String, Object> config = new LinkedHashMap<>();
      config.put("max_seq_length", length);
      config.put("do_lower_case", false);
      written.put(LENGTH, bytes(config));
    }
    if (!queries.equals(Objects.requireNonNullElse(queryPrompt, ""))
        || !documents.equals(Objects.requireNonNullElse(documentPrompt, ""))) {
      written.put(PROMPTS, bytes(prompts(before, queries, documents)));
    }
    return written;
  }

  /** With what else the file before says. */
  private static Map<String, Object> prompts(Optional<Path> before, String query, String document) {
    Map<String, Object> config = new LinkedHashMap<>();
    Map<String, Object> prompts = new LinkedHashMap<>();
    before.ifPresent(
        file -> {
          JsonNode root = json(file);
          root.properties().forEach(e -> config.put(e.getKey(), e.getValue()));
          root.path("prompts").properties().forEach(e -> prompts.put(e.getKey(), e.getValue()));
        });
    prompts.put("query", query);
    prompts.put("document", document);
    OF_DOCUMENTS.forEach(prompts::remove);
    config.put("prompts", prompts);
    config.put("default_prompt_name", null);
    config.putIfAbsent(SIMILARITY, "cosine");
    return config;
  }

  private static Map<String, Object> module(int number, String path, String type) {
    Map<String, Object> module = new LinkedHashMap<>();
    module.put("idx", number);
    module.put("name", Integer.toString(number));
    module.put("path", path);
    module.put("type", "sentence_transformers.models." + type);
    return module;
  }

  private static byte[] bytes(Object value) {
    try {
      return (JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value) + "\n")
          .getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
