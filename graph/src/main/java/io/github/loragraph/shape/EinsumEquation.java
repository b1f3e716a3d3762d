package io.github.loragraph.shape;

import io.github.loragraph.onnx.Node;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * What an {@code Einsum} computes, with a letter for every axis.
 *
 * @param operands the letters of each operand
 * @param result the letters of the result
 */
public record EinsumEquation(List<String> operands, String result) {

  /**
   * The equation of a node.
   *
   * @param rank of a value; asked only where the equation has dots
   */
  public static EinsumEquation of(Node node, ToIntFunction<String> rank) {
    String text = node.attribute("equation", "").replace(" ", "");
    int arrow = text.indexOf("->");
    String[] terms = (arrow < 0 ? text : text.substring(0, arrow)).split(",", -1);
    String letters = lettersForDots(text, terms, node, rank);
    List<String> operands = Arrays.stream(terms).map(t -> t.replace("...", letters)).toList();
    String result = arrow < 0 ? implied(terms, letters) : text.substring(arrow + 2);
    return new EinsumEquation(operands, result.replace("...", letters));
  }

  /** As many letters that the equation leaves free as the dots of any operand stand for axes. */
  private static String lettersForDots(
      String text, String[] terms, Node node, ToIntFunction<String> rank) {
    int count = 0;
    for (int i = 0; i < terms.length; i++) {
      if (terms[i].contains("...")) {
        count = rank.applyAsInt(node.input(i)) - (terms[i].length() - 3);
      }
    }
    StringBuilder free = new StringBuilder();
    for (char c = 'A'; free.length() < count; c = c == 'Z' ? 'a' : (char) (c + 1)) {
      if (text.indexOf(c) < 0) {
        free.append(c);
      }
    }
    return free.toString();
  }

  /** Without an arrow: the dots, then the letters that stand once, in the alphabet's order. */
  private static String implied(String[] terms, String letters) {
    String all = String.join("", terms).replace(".", "");
    StringBuilder once = new StringBuilder(letters);
    all.chars()
        .sorted()
        .filter(c -> all.indexOf(c) == all.lastIndexOf(c))
        .forEach(c -> once.append((char) c));
    return once.toString();
  }
}
