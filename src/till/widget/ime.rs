//! Asks the system for its input method (Chinese and others) where text is typed into something that is drawn by us.

use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, input_method, layout, mouse, overlay, renderer};
use iced::{Element, Event, Length, Rectangle, Renderer, Size, Theme, Vector, window};

/// Content that takes text from an input method while `wanted`.
struct WantsText<'a, Message> {
    content: Element<'a, Message>,
    wanted: bool,
    composed: fn(String) -> Message,
}

/// Lets an input method write while `wanted`; what it gives comes as `composed`.
pub fn wants_text<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    wanted: bool,
    composed: fn(String) -> Message,
) -> Element<'a, Message> {
    Element::new(WantsText { content: content.into(), wanted, composed })
}

impl<Message> Widget<Message, Theme, Renderer> for WantsText<'_, Message> {
    fn tag(&self) -> tree::Tag {
        self.content.as_widget().tag()
    }

    fn state(&self) -> tree::State {
        self.content.as_widget().state()
    }

    fn children(&self) -> Vec<Tree> {
        self.content.as_widget().children()
    }

    fn diff(&self, tree: &mut Tree) {
        self.content.as_widget().diff(tree);
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn size_hint(&self) -> Size<Length> {
        self.content.as_widget().size_hint()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        self.content.as_widget_mut().layout(tree, renderer, limits)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        self.content.as_widget_mut().operate(tree, layout, renderer, operation);
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        if self.wanted {
            match event {
                Event::InputMethod(input_method::Event::Commit(text)) => {
                    shell.publish((self.composed)(text.clone()));
                    shell.capture_event();
                }
                Event::Window(window::Event::RedrawRequested(_)) => {
                    let bounds = layout.bounds();
                    shell.request_input_method(&input_method::InputMethod::<String>::Enabled {
                        cursor: Rectangle { x: bounds.width * 0.3, y: 240.0, width: 2.0, height: 24.0 },
                        purpose: input_method::Purpose::Normal,
                        preedit: None,
                    });
                }
                _ => {}
            }
        }
        self.content.as_widget_mut().update(tree, event, layout, cursor, renderer, clipboard, shell, viewport);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        self.content.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer)
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        self.content.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        self.content.as_widget_mut().overlay(tree, layout, renderer, viewport, translation)
    }
}
