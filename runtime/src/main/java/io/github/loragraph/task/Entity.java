package io.github.loragraph.task;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Something that a model finds named in a text.
 *
 * @param text as it stands there
 * @param start where it begins in the text, in characters (code points, as Python counts), from 0
 * @param end where it ends, not counted in
 * @param type what it is: {@code PER}
 * @param score the mean over its words of the probability of the tag that each is given, by its
 *     first token
 */
public record Entity(String text, int start, int end, String type, double score) {
  /** As JSON has it. */
  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("text", text);
    json.put("start", start);
    json.put("end", end);
    json.put("type", type);
    json.put("score", score);
    return json;
  }
}
