package io.github.loragraph;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A tiny encoder that knows a few words, and sentences of them in which persons and places are. */
final class EntityCorpus {
  static final int HIDDEN = 32;

  private static final List<String> VOCABULARY =
      List.of(
          "[CLS]", "[PAD]", "[SEP]", "[UNK]", "ann", "bob", "car", "##la", "rome", "par", "##is",
          "new", "york", "went", "to", "saw", "and", "with", ".", ",", "x");

  private static final List<String> OTHERS =
      List.of("went", "to", "saw", "and", "with", ".", ",", "x", "new");

  private static final List<List<String>> ENTITIES =
      List.of(
          List.of("PER", "Ann"),
          List.of("PER", "Bob", "Carla"),
          List.of("PER", "Carla"),
          List.of("LOC", "Rome"),
          List.of("LOC", "New", "York"),
          List.of("LOC", "Paris"));

  private EntityCorpus() {}

  /** A word and its tag for each line of a sentence. */
  record Tagged(List<String> words, List<String> tags) {}

  /**
   * Sentences of 2 to 26 words.
   *
   * @return with tags of BIO
   */
  static List<Tagged> sentences(int count, long seed) {
    Random random = new Random(seed);
    List<Tagged> sentences = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<String> words = new ArrayList<>();
      List<String> tags = new ArrayList<>();
      int length = 2 + random.nextInt(24);
      while (words.size() < length) {
        if (random.nextInt(3) > 0) {
          words.add(OTHERS.get(random.nextInt(OTHERS.size())));
          tags.add("O");
          continue;
        }
        List<String> entity = ENTITIES.get(random.nextInt(ENTITIES.size()));
        for (int word = 1; word < entity.size(); word++) {
          words.add(entity.get(word));
          tags.add((word == 1 ? "B-" : "I-") + entity.get(0));
        }
      }
      sentences.add(new Tagged(words, tags));
    }
    return sentences;
  }

  /** The tags of BIO as those of IOB1. */
  static List<String> iob1(List<String> tags) {
    List<String> iob1 = new ArrayList<>();
    for (int i = 0; i < tags.size(); i++) {
      String tag = tags.get(i);
      boolean touches =
          i > 0
              && tag.startsWith("B-")
              && !tags.get(i - 1).equals("O")
              && tags.get(i - 1).substring(2).equals(tag.substring(2));
      iob1.add(touches ? tag : tag.replace("B-", "I-"));
    }
    return iob1;
  }

  static Path conll(Path file, List<Tagged> sentences, boolean iob1) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Tagged sentence : sentences) {
      List<String> tags = iob1 ? iob1(sentence.tags) : sentence.tags;
      for (int word = 0; word < tags.size(); word++) {
        lines.append(sentence.words.get(word)).append(' ').append(tags.get(word)).append('\n');
      }
      lines.append('\n');
    }
    return Files.writeString(file, lines);
  }

  /** A folder with an encoder of two layers. */
  static Path encoder(Path folder) throws IOException {
    return encoder(folder, Encoders.of(architecture(), HIDDEN));
  }

  /** A model with a new head for the labels of a file, and no adapters. */
  static Path tagger(Path folder, Path words) throws IOException {
    Path tagger = folder.resolve("tagger");
    Cli.json(
        "add-head",
        encoder(folder.resolve("encoder")),
        "--task",
        "token-classification",
        "--labels-from",
        words,
        "-o",
        tagger);
    return tagger;
  }

  /** A folder with an encoder that sees each token alone. */
  static Path contextless(Path folder) throws IOException {
    Graph graph = architecture().graph().copy();
    String states =
        graph.nodes().stream()
            .filter(node -> node.is("Gather"))
            .filter(node -> node.input(0).contains("word_embeddings"))
            .findFirst()
            .orElseThrow()
            .output(0);
    graph.clearOutputs();
    graph.addOutput(ValueInfo.of(states, TensorType.of(ElementType.FLOAT, -1, -1, HIDDEN)));
    graph.removeDeadNodes();
    return encoder(folder, architecture().withGraph(graph));
  }

  private static OnnxModel architecture() {
    return new ReferenceArchitecture(HIDDEN, 2, 2, 64, VOCABULARY.size(), 66, 2).model(0);
  }

  private static Path encoder(Path folder, OnnxModel model) throws IOException {
    Files.createDirectories(folder);
    OnnxFile.write(model, folder.resolve("model.onnx"), true);
    Map<String, Integer> ids = new LinkedHashMap<>();
    VOCABULARY.forEach(token -> ids.put(token, ids.size()));
    String tokenizer =
        """
        {"version": "1.0", "truncation": null, "padding": null,
         "added_tokens": [%s, %s, %s, %s],
         "normalizer": {"type": "BertNormalizer", "clean_text": true,
           "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
         "pre_tokenizer": {"type": "BertPreTokenizer"},
         "post_processor": {"type": "TemplateProcessing",
           "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
             {"Sequence": {"id": "A", "type_id": 0}},
             {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
           "pair": [{"Sequence": {"id": "A", "type_id": 0}},
             {"Sequence": {"id": "B", "type_id": 0}}],
           "special_tokens": {
             "[CLS]": {"id": "[CLS]", "ids": [0], "tokens": ["[CLS]"]},
             "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
         "decoder": null,
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
           "max_input_chars_per_word": 100, "vocab": %s}}
        """
            .formatted(
                added("[CLS]", 0),
                added("[PAD]", 1),
                added("[SEP]", 2),
                added("[UNK]", 3),
                new ObjectMapper().writeValueAsString(ids));
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer);
    return folder;
  }

  private static String added(String token, int id) {
    return """
        {"id": %d, "content": "%s", "single_word": false, "lstrip": false, "rstrip": false,
         "normalized": false, "special": true}"""
        .formatted(id, token);
  }
}
