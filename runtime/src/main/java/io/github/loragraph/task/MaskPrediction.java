package io.github.loragraph.task;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The likeliest tokens for each mask of a text, one mask or more. */
record MaskPrediction(List<Prediction.Mask> masks) implements Prediction {
  MaskPrediction {
    masks = List.copyOf(masks);
  }

  @Override
  public Map<String, Object> columns(List<String> tokens) {
    Map<String, Object> columns = new LinkedHashMap<>();
    columns.put("predicted_tokens", masks.stream().map(m -> m.tokens().get(0).token()).toList());
    columns.put(
        "predicted_probabilities",
        masks.stream().map(m -> m.tokens().get(0).probability()).toList());
    return columns;
  }

  @Override
  public Map<String, Object> json(List<String> tokens) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (Mask mask : masks) {
      List<Map<String, Object>> found = new ArrayList<>();
      for (Mask.Found token : mask.tokens()) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("token", token.token());
        entry.put("id", token.id());
        entry.put("probability", token.probability());
        found.add(entry);
      }
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("position", mask.position());
      entry.put("predictions", found);
      list.add(entry);
    }
    return Map.of("masks", list);
  }

  /** A line for each token, an empty one after each mask. */
  @Override
  public List<List<String>> lines(List<String> texts, List<String> tokens) {
    List<List<String>> lines = new ArrayList<>();
    for (Mask mask : masks) {
      for (Mask.Found token : mask.tokens()) {
        List<String> line = new ArrayList<>();
        line.add(token.token());
        line.add(String.format(Locale.ROOT, "%.4f", token.probability()));
        line.addAll(texts);
        lines.add(line);
      }
      lines.add(List.of());
    }
    return lines;
  }
}
