use entity::audit_event;
use sea_orm::PaginatorTrait;

use super::*;
use crate::ground::Ground;

fn welcome() -> CreateTemplate {
    CreateTemplate {
        key: "welcome".to_owned(),
        name: "Welcome,  once".to_owned(),
        purpose: Purpose::Marketing,
        draft: Draft {
            default_language: "en".to_owned(),
            layout: "<mjml><mj-body><mj-section><mj-column><mj-text>{{ slot.body }}</mj-text>\
                     <mj-text>{{ postal_address }} {{ unsubscribe_url }}</mj-text></mj-column></mj-section></mj-body></mjml>"
                .to_owned(),
            words: vec![words("Hello")],
        },
        layout_of: None,
    }
}

fn words(subject: &str) -> Words {
    Words {
        language: "en".to_owned(),
        subject: subject.to_owned(),
        slots: [("body".to_owned(), "Hello, call us.".to_owned())].into(),
        ..Words::default()
    }
}

fn told<T>(result: Result<Done<T>>) -> Vec<String> {
    match result {
        Err(Error::Refused(refusals)) => refusals
            .iter()
            .map(|refusal| format!("{} {}", refusal.field.join("."), refusal.code.as_str()))
            .collect(),
        Err(other) => panic!("not a refusal: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn a_new_text_is_a_new_version_and_the_old_one_stays() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let admin = ground.admin();
    let first = create(&ground.h, &admin, welcome()).await.unwrap().value;
    assert_eq!(
        (first.template.name.as_str(), first.version.version),
        ("Welcome, once", 1)
    );
    let id = first.template.id;
    let input = UpdateTemplate {
        words: vec![words("Good day")],
        version: Some(1),
        ..UpdateTemplate::default()
    };
    let second = update(&ground.h, &admin, id, input.clone()).await.unwrap().value;
    let body = &second.version.bodies.0[0];
    assert_eq!((second.version.version, body.subject.as_str()), (2, "Good day"));
    assert_eq!(body.html, first.version.bodies.0[0].html);
    assert_eq!(
        told(update(&ground.h, &admin, id, input).await),
        ["version VERSION_CONFLICT"]
    );
    let playbook = ground.h.playbook().await.unwrap();
    assert_eq!(
        playbook.template_version("welcome").unwrap().id,
        second.version.id
    );
    let kept = template_version::Entity::find_by_id(first.version.id)
        .one(&ground.h.db)
        .await
        .unwrap();
    let superseded = template_version::Model {
        state: TemplateState::Superseded,
        ..first.version
    };
    assert_eq!(kept, Some(superseded));
}

#[tokio::test]
async fn an_update_that_changes_nothing_leaves_no_trace() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let admin = ground.admin();
    let first = create(&ground.h, &admin, welcome()).await.unwrap().value;
    let before = audit_event::Entity::find().count(&ground.h.db).await.unwrap();
    let same = UpdateTemplate {
        words: vec![words("Hello")],
        ..UpdateTemplate::default()
    };
    let after = update(&ground.h, &admin, first.template.id, same)
        .await
        .unwrap()
        .value;
    assert_eq!(after, first);
    assert_eq!(
        audit_event::Entity::find().count(&ground.h.db).await.unwrap(),
        before
    );
}

#[tokio::test]
async fn a_subject_that_names_a_service_is_refused_and_so_is_a_taken_key() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let admin = ground.admin();
    let wrong = CreateTemplate {
        key: "Wel come".to_owned(),
        draft: Draft {
            words: vec![words("Your {{ service_line_name }} visit")],
            ..welcome().draft
        },
        ..welcome()
    };
    let told_wrong = told(create(&ground.h, &admin, wrong).await);
    assert_eq!(told_wrong, ["key INVALID", "bodies.en.subject INVALID"]);
    _ = create(&ground.h, &admin, welcome()).await.unwrap();
    assert_eq!(
        told(create(&ground.h, &admin, welcome()).await),
        ["key ALREADY_EXISTS"]
    );
    assert_eq!(template::Entity::find().count(&ground.h.db).await.unwrap(), 1);
}

#[tokio::test]
async fn whoever_has_no_role_finds_no_template() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let first = create(&ground.h, &ground.admin(), welcome()).await.unwrap().value;
    let refused = create(&ground.h, &Viewer::Public, welcome()).await;
    assert!(matches!(refused, Err(Error::Missing { .. })));
    let refused = update(
        &ground.h,
        &Viewer::Public,
        first.template.id,
        UpdateTemplate::default(),
    )
    .await;
    assert!(matches!(refused, Err(Error::Missing { .. })));
}
